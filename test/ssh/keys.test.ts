import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import type { ParsedKey } from 'ssh2';
import { agentSockets, configuredAgent } from '../../src/ssh/agents';
import type { SshError } from '../../src/ssh/errors';
import { fingerprintOf } from '../../src/ssh/hostKeys';
import { chooseIdentities, ensureOwnKey, findIdentities, keyPlaces, KeyUnlocker, publicBlobs, type Identity, type IdentitySearch } from '../../src/ssh/keys';
import { loadSsh2 } from '../../src/ssh/loadSsh2';
import { generateEd25519, readEnvelope } from '../../src/ssh/opensshKey';
import { makeKeyPair } from '../support/sshd';
import { startAgent } from './agent';
import { Scratch, withCode } from './support';

const run = promisify(execFile);

describe('our own SSH key', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it('is made once, for our eyes only, and is what OpenSSH takes for a key', async () => {
    const dir = path.join(await scratch.dir(), 'deep', 'keys');
    const own = await ensureOwnKey(dir);
    assert.match(own.publicKeyLine, /^ssh-ed25519 AAAA\S+ runpod-workspaces$/);
    assert.equal((await stat(own.privateKeyPath)).mode & 0o777, 0o600);
    assert.equal((await stat(dir)).mode & 0o777, 0o700);
    const { stdout } = await run('ssh-keygen', ['-y', '-f', own.privateKeyPath]);
    assert.equal(stdout.trim(), own.publicKeyLine);
    const text = await readFile(own.privateKeyPath, 'utf8');
    assert.deepEqual(await ensureOwnKey(dir), own);
    assert.equal(await readFile(own.privateKeyPath, 'utf8'), text);
    assert.deepEqual((await readdir(dir)).sort(), ['id_ed25519', 'id_ed25519.pub']);
  });

  it('is one key also when several processes make it at once', async () => {
    const dir = path.join(await scratch.dir(), 'keys');
    const script = path.join(import.meta.dirname, 'makeOwnKey.ts');
    const makers = Array.from({ length: 3 }, () => {
      const child = spawn(process.execPath, ['--import', 'tsx', script, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
      scratch.onEnd(() => child.kill('SIGKILL'));
      const output = { text: '' };
      child.stdout.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
      const until = (done: () => boolean): Promise<void> =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (done()) resolve();
          };
          child.stdout.on('data', look);
          child.once('exit', () => (done() ? resolve() : reject(new Error('The process ended early'))));
          look();
        });
      return { child, output, until };
    });
    // All loaded and waiting; then all at once.
    await Promise.all(makers.map(({ until, output }) => until(() => output.text.startsWith('ready\n'))));
    for (const { child } of makers) child.stdin.end('go\n');
    await Promise.all(makers.map(({ until, output }) => until(() => output.text.endsWith('end\n'))));
    const keys = new Set(makers.map(({ output }) => output.text.split('\n')[1]));
    assert.equal(keys.size, 1);
    const { stdout } = await run('ssh-keygen', ['-y', '-f', path.join(dir, 'id_ed25519')]);
    assert.deepEqual([...keys], [stdout.trim()]);
    assert.deepEqual((await readdir(dir)).sort(), ['id_ed25519', 'id_ed25519.pub']);
  });

  it('is never overwritten, even when what is there is no key', async () => {
    const dir = await scratch.dir();
    const file = path.join(dir, 'id_ed25519');
    await writeFile(file, 'precious');
    await assert.rejects(ensureOwnKey(dir), withCode('key-unreadable', { path: file, reason: 'malformed' }));
    assert.equal(await readFile(file, 'utf8'), 'precious');
  });

  it('is for our eyes only again when somebody opened it up', async () => {
    const dir = await scratch.dir();
    const { privateKeyPath } = await ensureOwnKey(dir);
    await chmod(privateKeyPath, 0o644);
    await ensureOwnKey(dir);
    assert.equal((await stat(privateKeyPath)).mode & 0o777, 0o600);
  });

  it('is right also when its public half begins with a zero byte', async () => {
    const { utils } = await loadSsh2();
    for (let attempt = 0; ; attempt++) {
      assert.ok(attempt < 20_000);
      const pair = generateEd25519('c');
      const blob = readEnvelope(pair.privateKey)?.publicBlob;
      // The key's 32 bytes follow the type and two lengths.
      if (blob?.[19] !== 0) continue;
      assert.equal(blob.length, 51);
      const parsed = utils.parseKey(pair.privateKey);
      assert.ok(!(parsed instanceof Error));
      assert.ok(parsed.verify('data', parsed.sign('data')));
      assert.ok(parsed.getPublicSSH().equals(blob));
      const file = path.join(await scratch.dir(), 'zero');
      await writeFile(file, pair.privateKey, { mode: 0o600 });
      assert.equal((await run('ssh-keygen', ['-y', '-f', file])).stdout.trim(), pair.publicKeyLine);
      return;
    }
  });
});

describe('the places of keys', () => {
  it('are those of runpodctl and OpenSSH, ours first, then the configured ones', () => {
    const places = keyPlaces({ ownKeyDir: '/state/ssh', homeDir: '/home/me', extraPaths: ['~/keys/a', '/b', 'c', ' '], platform: 'linux' });
    assert.deepEqual(
      places.map(({ path: place, source }) => `${source} ${place}`),
      [
        'own /state/ssh/id_ed25519',
        'configured /home/me/keys/a',
        'configured /b',
        'configured /home/me/c',
        'runpod /home/me/.ssh/runpod_key',
        'runpod /home/me/.runpod/ssh',
        'home /home/me/.ssh/id_ed25519',
        'home /home/me/.ssh/id_ecdsa',
        'home /home/me/.ssh/id_rsa',
      ],
    );
  });

  it('are written the Windows way on Windows', () => {
    const places = keyPlaces({ ownKeyDir: 'C:\\State\\ssh', homeDir: 'C:\\Users\\me', extraPaths: ['~\\keys\\a', '~/keys/b', 'D:/k/c', 'sub\\d'], platform: 'win32' });
    assert.deepEqual(
      places.slice(0, 6).map(({ path: place }) => place),
      ['C:\\State\\ssh\\id_ed25519', 'C:\\Users\\me\\keys\\a', 'C:\\Users\\me\\keys\\b', 'D:\\k\\c', 'C:\\Users\\me\\sub\\d', 'C:\\Users\\me\\.ssh\\runpod_key'],
    );
  });

  it('of agents are the named one, and on Windows the pipes of OpenSSH and PuTTY', () => {
    const listPipes = (): string[] => ['lsass', 'pageant.Me.0123abcd', 'pageant.other.99', 'pageant-helper', 'openssh-ssh-agent'];
    assert.deepEqual(agentSockets({ env: { SSH_AUTH_SOCK: '/run/agent' }, platform: 'linux', listPipes }), ['/run/agent']);
    assert.deepEqual(agentSockets({ env: { SSH_AUTH_SOCK: '' }, platform: 'darwin' }), []);
    assert.deepEqual(agentSockets({ env: { USERNAME: 'me' }, platform: 'win32', listPipes }), ['\\\\.\\pipe\\openssh-ssh-agent', '\\\\.\\pipe\\pageant.Me.0123abcd']);
    assert.deepEqual(agentSockets({ env: { SSH_AUTH_SOCK: '\\\\.\\pipe\\openssh-ssh-agent' }, platform: 'win32', listPipes: () => [] }), ['\\\\.\\pipe\\openssh-ssh-agent']);
  });
});

describe('the agent that an OpenSSH configuration names', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());
  const named = (text: string): string | undefined => configuredAgent(text, '/Users/me', { AGENT: '/run/other' });

  it('counts where it is for every host', () => {
    assert.equal(named('Host *\n\tIdentityAgent "~/Library/Group Containers/2BUA8C4S2C.com.1password/t/agent.sock"\n'), '/Users/me/Library/Group Containers/2BUA8C4S2C.com.1password/t/agent.sock');
    assert.equal(named('Include runpod-workspaces/config\r\nidentityagent = %d/.agent\r\n'), '/Users/me/.agent');
    assert.equal(named('Host github.com\n  IdentityAgent /run/a\nMatch all\n  IdentityAgent $AGENT\n'), '/run/other');
    assert.equal(named('IdentityAgent \\\\.\\pipe\\an-agent'), '\\\\.\\pipe\\an-agent');
    for (const none of ['', 'Host github.com\n  IdentityAgent /run/a', '# IdentityAgent /run/a', 'IdentityAgent none', 'IdentityAgent SSH_AUTH_SOCK', 'IdentityAgent $NOT_SET', 'IdentityAgent']) assert.equal(named(none), undefined, none);
  });

  it('is asked for its keys, before the one of the environment, and left alone by who must ask nobody', async () => {
    const home = await scratch.dir();
    const agent = await startAgent(scratch);
    const key = await makeKeyPair(path.join(home, 'kept'), { comment: 'kept by the agent' });
    await agent.add(key.path);
    await mkdir(path.join(home, '.ssh'));
    await writeFile(path.join(home, '.ssh', 'config'), `Host *\n  IdentityAgent "${agent.socket}"\n`);
    assert.deepEqual((await findIdentities({ homeDir: home, env: {} })).map(({ source, fingerprint }) => [source, fingerprint]), [['agent', key.fingerprint]]);
    const listPipes = (): string[] => assert.fail('nobody is to be looked for');
    assert.deepEqual(await findIdentities({ homeDir: home, env: { SSH_AUTH_SOCK: agent.socket }, agents: false, platform: 'win32', listPipes }), []);
  });
});

describe('finding keys', () => {
  const scratch = new Scratch();
  let home: string;
  let problems: SshError[];
  beforeEach(async () => {
    home = await scratch.dir();
    problems = [];
    await mkdir(path.join(home, '.ssh'));
    await mkdir(path.join(home, '.runpod', 'ssh'), { recursive: true });
  });
  afterEach(() => scratch.clear());

  const find = (more: Partial<IdentitySearch> = {}): Promise<Identity[]> =>
    findIdentities({ homeDir: home, env: {}, onProblem: (problem) => problems.push(problem), ...more });
  const labels = (identities: readonly Identity[]): string[] => identities.map(({ source, label }) => `${source} ${path.relative(home, label)}`);
  const said = (): string[] => problems.map(({ code, params }) => `${code} ${params.reason ?? ''} ${path.basename(params.path ?? '')}`);

  it('goes through all places in order and signs with every kind', async () => {
    await ensureOwnKey(path.join(home, 'own'));
    await makeKeyPair(path.join(home, 'extra'), { type: 'ecdsa' });
    for (const name of ['.ssh/runpod_key', '.runpod/ssh/a-key', '.runpod/ssh/runpodctl-ssh-key', '.ssh/id_ed25519']) await makeKeyPair(path.join(home, name));
    await makeKeyPair(path.join(home, '.ssh/id_ecdsa'), { type: 'ecdsa' });
    await makeKeyPair(path.join(home, '.ssh/id_rsa'), { type: 'rsa' });
    // As runpodctl writes its keys.
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', '', '-f', path.join(home, '.runpod/ssh/RunPod-Key-Go')]);
    await writeFile(path.join(home, '.runpod/ssh/known_hosts'), 'x');
    await writeFile(path.join(home, '.runpod/ssh/notes.txt'), 'x');
    const identities = await find({ ownKeyDir: path.join(home, 'own'), extraPaths: ['~/extra', '~/gone'] });
    assert.deepEqual(labels(identities), [
      'own own/id_ed25519',
      'configured extra',
      'runpod .ssh/runpod_key',
      'runpod .runpod/ssh/RunPod-Key-Go',
      'runpod .runpod/ssh/runpodctl-ssh-key',
      'runpod .runpod/ssh/a-key',
      'home .ssh/id_ed25519',
      'home .ssh/id_ecdsa',
      'home .ssh/id_rsa',
    ]);
    assert.deepEqual(said(), ['key-unreadable missing gone']);
    const { utils } = await loadSsh2();
    for (const identity of identities) {
      const hash = identity.type === 'ssh-rsa' ? 'sha256' : undefined;
      const key = utils.parseKey(`${identity.type} ${identity.publicBlob.toString('base64')}`);
      assert.ok(!(key instanceof Error));
      const data = Buffer.from('challenge');
      assert.ok(key.verify(data, await identity.sign(data, hash), hash), identity.label);
      assert.equal(fingerprintOf(identity.publicBlob), identity.fingerprint);
    }
  });

  it('says what is wrong with a key it cannot use, and goes on', async () => {
    const file = (name: string, text: string): Promise<void> => writeFile(path.join(home, name), text);
    await file('putty.ppk', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n');
    await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', path.join(home, 'pkcs8')]);
    await file('junk', 'hello');
    await file('torn', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----\n');
    await mkdir(path.join(home, 'folder'));
    await file('huge', 'x'.repeat(100_000));
    await makeKeyPair(path.join(home, '.ssh/id_ed25519'));
    const extraPaths = ['putty.ppk', 'pkcs8', 'junk', 'torn', 'folder', 'huge'];
    assert.deepEqual(labels(await find({ extraPaths })), ['home .ssh/id_ed25519']);
    assert.deepEqual(said(), [
      'key-unreadable putty putty.ppk',
      'key-unreadable pkcs8 pkcs8',
      'key-unreadable unknown-format junk',
      'key-unreadable malformed torn',
      'key-unreadable not-a-file folder',
      'key-unreadable unknown-format huge',
    ]);
  });

  it('asks for a passphrase when a key is to sign, once a session, again after a typing error', async () => {
    const file = path.join(home, '.ssh/id_ed25519');
    await makeKeyPair(file, { passphrase: 'open sesame' });
    const asked: number[] = [];
    const unlocker = new KeyUnlocker<ParsedKey>(async (which, attempt) => {
      assert.equal(which, file);
      asked.push(attempt);
      return attempt === 1 ? 'wrong' : 'open sesame';
    });
    const [identity] = await find({ unlocker });
    assert.ok(identity);
    assert.deepEqual(asked, [], 'finding asks nothing');
    await Promise.all([identity.sign(Buffer.from('a'), undefined), identity.sign(Buffer.from('b'), undefined)]);
    const [again] = await find({ unlocker });
    await again?.sign(Buffer.from('c'), undefined);
    assert.deepEqual(asked, [1, 2]);
  });

  it('takes no for an answer until somebody starts something anew', async () => {
    await makeKeyPair(path.join(home, '.ssh/id_ed25519'), { passphrase: 'open sesame' });
    let asked = 0;
    const unlocker = new KeyUnlocker<ParsedKey>(async () => {
      asked++;
      return undefined;
    });
    const [identity] = await find({ unlocker });
    const sign = (): Promise<Buffer> | undefined => identity?.sign(Buffer.from('a'), undefined);
    await assert.rejects(async () => sign(), withCode('key-locked', { reason: 'declined' }));
    await assert.rejects(async () => sign(), withCode('key-locked', { reason: 'declined' }));
    assert.equal(asked, 1);
    unlocker.askAgain();
    await assert.rejects(async () => sign(), withCode('key-locked'));
    assert.equal(asked, 2);
    const [locked] = await find();
    await assert.rejects(async () => locked?.sign(Buffer.from('a'), undefined), withCode('key-locked', { reason: 'no-passphrase' }));
  });

  it('reads the public half of a locked key in the old form from beside it', async () => {
    const file = path.join(home, '.ssh/id_rsa');
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'open sesame', '-f', file]);
    let asked = 0;
    const unlocker = new KeyUnlocker<ParsedKey>(async () => {
      asked++;
      return 'open sesame';
    });
    const [identity] = await find({ unlocker });
    assert.equal(asked, 0);
    await identity?.sign(Buffer.from('a'), 'sha256');
    assert.equal(asked, 1);
    await rename(`${file}.pub`, `${file}.old`);
    assert.deepEqual(labels(await find()), []);
    assert.deepEqual(said(), ['key-locked no-passphrase id_rsa']);
  });

  it('lists an agent’s keys after the files, and signs with the agent where it holds a file’s key', async () => {
    const file = path.join(home, '.ssh/id_ed25519');
    await makeKeyPair(file, { passphrase: 'open sesame' });
    const other = await makeKeyPair(path.join(home, 'other'), { type: 'rsa', comment: 'from the agent' });
    const agent = await startAgent(scratch);
    await agent.add(other.path);
    await agent.add(file, 'open sesame');
    const identities = await find({ env: { SSH_AUTH_SOCK: agent.socket } });
    assert.deepEqual(
      identities.map(({ source, label }) => `${source} ${label}`),
      [`home ${file}`, 'agent from the agent'],
    );
    const [locked] = identities;
    assert.ok(await locked?.sign(Buffer.from('a'), undefined), 'without its passphrase');
    assert.equal((await find({ env: { SSH_AUTH_SOCK: path.join(home, 'nobody') } })).length, 1);
  });
});

describe('choosing keys to offer', () => {
  const identity = (name: string, source: Identity['source'] = 'agent'): Identity => {
    const publicBlob = Buffer.from(`\0\0\0\x0bssh-ed25519${name}`, 'latin1');
    return { source, label: name, type: 'ssh-ed25519', publicBlob, fingerprint: fingerprintOf(publicBlob), sign: () => Promise.reject(new Error('unused')) };
  };
  const lineOf = ({ publicBlob }: Identity): string => `ssh-ed25519 ${publicBlob.toString('base64')} x`;
  const names = (all: Identity[], expected?: string[]): string => chooseIdentities(all, expected).offered.map(({ label }) => label).join('');

  it('offers ours first and six at most', () => {
    const all = [...'abcdefgh'].map((name) => identity(name));
    assert.equal(names([...all, identity('o', 'own')]), 'oabcde');
    assert.equal(chooseIdentities(all).notOffered, 2);
  });

  it('prefers keys the pod is known to take', () => {
    const own = identity('o', 'own');
    const all = [...[...'abcdefgh'].map((name) => identity(name)), own];
    const expected = [`${lineOf(identity('h'))}\r\n${lineOf(identity('b'))}`];
    assert.equal(names(all, expected), 'bhoacd');
    assert.equal(names(all, [...expected, lineOf(own)]), 'obhacd');
    assert.equal(names(all, ['null']), 'oabcde');
  });

  it('offers a key once', () => {
    assert.equal(names([identity('a', 'home'), identity('b'), identity('a')]), 'ab');
  });

  it('reads authorized_keys with options, comments and stray characters', () => {
    const a = Buffer.from('\0\0\0\x0bssh-ed25519aa', 'latin1').toString('base64');
    assert.deepEqual(publicBlobs(`# ssh-ed25519 ${a}\nrestrict,command="echo ssh" ssh-ed25519 ${a} me@here\r\n\n  ssh-rsa ${a}`), [a, a]);
    assert.deepEqual(publicBlobs('null'), []);
    assert.deepEqual(publicBlobs(''), []);
  });
});
