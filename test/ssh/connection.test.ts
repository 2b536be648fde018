import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { ClientChannel, ParsedKey } from 'ssh2';
import { CancelledError } from '../../src/base/errors';
import { sleep } from '../../src/base/time';
import { SshConnection } from '../../src/ssh/connection';
import type { Identity } from '../../src/ssh/identity';
import { ensureOwnKey, findIdentities, KeyUnlocker } from '../../src/ssh/keys';
import { openRelay } from '../simulator/link';
import { makeKeyPair, startSshd, type KeyPair, type Sshd, type SshdOptions } from '../support/sshd';
import { until } from '../support/until';
import { startAgent } from './agent';
import { connect, identityOf, loginOptions, Scratch, withCode } from './support';

async function collect(channel: ClientChannel): Promise<{ out: string; code: number | null }> {
  let out = '';
  channel.on('data', (chunk: Buffer) => (out += chunk.toString()));
  channel.stderr.resume();
  const code = await new Promise<number | null>((resolve) => channel.once('close', (exit: number | null) => resolve(exit)));
  return { out, code };
}

describe('an SSH connection', () => {
  const scratch = new Scratch();
  let dir: string;
  let key: KeyPair;
  let mine: Identity;

  beforeEach(async () => {
    dir = await scratch.dir();
    key = await makeKeyPair(path.join(dir, 'id'));
    mine = await identityOf(key.path);
  });
  afterEach(() => scratch.clear());

  const server = async (options: Partial<SshdOptions> = {}): Promise<Sshd> => {
    const sshd = await startSshd({ authorizedKeys: [key.publicKey], ...options });
    scratch.onEnd(() => sshd.stop());
    return sshd;
  };
  const ended = <T extends { end(): void }>(connection: T): T => {
    scratch.onEnd(() => connection.end());
    return connection;
  };
  const connected = async (more: Parameters<typeof connect>[2] = {}, options: Partial<SshdOptions> = {}): Promise<SshConnection> =>
    ended(await connect(await server(options), [mine], more));
  const throughLink = async (sshd: Sshd, more: Parameters<typeof connect>[2] = {}) => {
    const link = await openRelay(sshd);
    scratch.onEnd(() => link.close());
    const connection = ended(await SshConnection.connect({ ...loginOptions(sshd, link.port, [mine]), ...more }));
    return { link, connection };
  };

  describe('logging in', () => {
    it('works with our own key, and says with which and where', async () => {
      const { publicKeyLine } = await ensureOwnKey(path.join(dir, 'own'));
      const identities = await findIdentities({ ownKeyDir: path.join(dir, 'own'), homeDir: dir, env: {} });
      const sshd = await server({ authorizedKeys: [publicKeyLine] });
      const connection = ended(await connect(sshd, identities));
      assert.equal(connection.identity?.source, 'own');
      assert.equal(connection.verdict, 'proven');
      assert.equal(connection.hostKey.fingerprint, sshd.hostKeyFingerprint);
      assert.match(connection.banner, /OpenSSH/);
      assert.equal((await connection.run('echo hello')).stdout.toString(), 'hello\n');
      assert.ok((await connection.ping()) < 5_000);
    });

    it('works with every kind of key and host key', async () => {
      for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
        const pair = await makeKeyPair(path.join(dir, `user_${type}`), { type });
        const sshd = await server({ authorizedKeys: [pair.publicKey], hostKeyTypes: [type] });
        ended(await connect(sshd, [await identityOf(pair.path)]));
      }
    });

    it('works with an agent, whatever the kind of key', async () => {
      const agent = await startAgent(scratch);
      for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
        const pair = await makeKeyPair(path.join(dir, `agent_${type}`), { type, comment: `${type} in the agent` });
        await agent.add(pair.path);
        const sshd = await server({ authorizedKeys: [pair.publicKey] });
        const connection = ended(await connect(sshd, await findIdentities({ homeDir: path.join(dir, 'empty'), env: { SSH_AUTH_SOCK: agent.socket } })));
        assert.equal(connection.identity?.label, `${type} in the agent`);
      }
    });

    it('asks for a passphrase only when the server takes that key', async () => {
      const locked = await makeKeyPair(path.join(dir, '.ssh-locked'), { passphrase: 'open sesame' });
      const asked: string[] = [];
      const unlocker = new KeyUnlocker<ParsedKey>(async (file) => {
        asked.push(file);
        return 'open sesame';
      });
      const identities = await findIdentities({ homeDir: dir, env: {}, extraPaths: [locked.path], unlocker });
      const stranger = await server();
      ended(await connect(stranger, [...identities, mine]));
      assert.deepEqual(asked, []);
      const sshd = await server({ authorizedKeys: [locked.publicKey] });
      for (let i = 0; i < 2; i++) ended(await connect(sshd, identities));
      assert.deepEqual(asked, [locked.path]);
    });

    it('waits longer for a person than for a machine', async () => {
      const locked = await makeKeyPair(path.join(dir, 'locked'), { passphrase: 'open sesame' });
      const unlocker = new KeyUnlocker<ParsedKey>(async () => {
        await sleep(4_200);
        return 'open sesame';
      });
      const identities = await findIdentities({ homeDir: dir, env: {}, extraPaths: [locked.path], unlocker });
      const sshd = await server({ authorizedKeys: [locked.publicKey] });
      ended(await connect(sshd, identities, { deadlineMs: 4_000 }));
    });

    it('goes on to the next key when a passphrase is refused, and says so when none is left', async () => {
      const locked = await makeKeyPair(path.join(dir, 'locked'), { passphrase: 'open sesame' });
      const unlocker = new KeyUnlocker<ParsedKey>(async () => undefined);
      const identities = await findIdentities({ homeDir: dir, env: {}, extraPaths: [locked.path], unlocker });
      const sshd = await server({ authorizedKeys: [locked.publicKey, key.publicKey] });
      const connection = ended(await connect(sshd, [...identities, mine]));
      assert.equal(connection.identity?.label, key.path);
      await assert.rejects(connect(sshd, identities), withCode('key-locked', { path: locked.path, reason: 'declined' }));
    });

    it('with keys the server does not know ends after six tries at most', async () => {
      const pairs = await Promise.all(Array.from({ length: 8 }, (_, i) => makeKeyPair(path.join(dir, `wrong${i}`), { comment: `wrong${i}` })));
      const wrong = await Promise.all(pairs.map(({ path: file }) => identityOf(file)));
      const sshd = await server();
      const failed = (): string[] => sshd.log.split('\n').filter((line) => /(Failed|Postponed|Accepted) publickey/.test(line));
      const offered = wrong.slice(0, 6).map(({ label }) => label);
      await assert.rejects(connect(sshd, wrong), withCode('auth-failed', { offered, notOffered: 2 }));
      await until(() => /Too many authentication failures|Connection closed by authenticating/.test(sshd.log), 'the end of the login');
      assert.ok(failed().length <= 6, failed().join('\n'));
      // The right key comes too late in the list, unless the pod is known to have it.
      ended(await connect(sshd, [...wrong, mine], { expectedPublicKeys: [key.publicKey] }));
    });

    it('without any key says that there was none', async () => {
      await assert.rejects(connect(await server(), []), withCode('auth-failed', { reason: 'no-keys', offered: [] }));
    });

    it('tells a server that hangs up after fewer tries', async () => {
      const pairs = await Promise.all(Array.from({ length: 4 }, (_, i) => makeKeyPair(path.join(dir, `wrong${i}`))));
      const sshd = await server({ extraConfig: 'MaxAuthTries 2' });
      await assert.rejects(connect(sshd, await Promise.all(pairs.map(({ path: file }) => identityOf(file)))), withCode('auth-failed', { reason: 'rejected' }));
    });
  });

  describe('checking the host key', () => {
    const noLogin = async (sshd: Sshd): Promise<void> => {
      await until(() => sshd.log.split('\n').filter((line) => /^Connection (closed|reset)/.test(line)).length >= 2, 'both connections ended');
      assert.doesNotMatch(sshd.log, /publickey|userauth|for root|authenticating user/i);
    };

    it('refuses another key before anything of a login is sent', async () => {
      const sshd = await server();
      const facts = { keyType: 'ssh-ed25519', fingerprint: sshd.hostKeyFingerprint };
      await assert.rejects(connect(sshd, [mine], { verifyHostKey: async () => 'mismatch' as const }), withCode('host-key-mismatch', facts));
      await noLogin(sshd);
    });

    it('takes no, and anything going wrong, for a no', async () => {
      const sshd = await server();
      await assert.rejects(connect(sshd, [mine], { verifyHostKey: () => false }), withCode('host-key-rejected'));
      await assert.rejects(connect(sshd, [mine], { verifyHostKey: () => Promise.reject(new Error('no log')) }), withCode('host-key-rejected', { detail: 'no log' }));
      await assert.rejects(connect(sshd, [mine], { verifyHostKey: () => Promise.reject(new CancelledError()) }), { name: 'CancelledError' });
      await noLogin(sshd);
    });

    it('may take longer than a stage', async () => {
      await connected({ deadlineMs: 4_000, verifyHostKey: () => sleep(4_200).then(() => 'first-use' as const) });
    });

    it('holds through new key exchanges', async () => {
      const connection = await connected({}, { extraConfig: 'RekeyLimit 1M' });
      const { stdout } = await connection.run('head -c 5000000 /dev/zero');
      assert.equal(stdout.length, 5_000_000);
    });
  });

  describe('on a bad link', () => {
    it('ends by the deadline where packets disappear, at whichever stage', async () => {
      const sshd = await server();
      const link = await openRelay(sshd);
      scratch.onEnd(() => link.close());
      link.shape({ fault: 'stall' });
      const started = Date.now();
      await assert.rejects(SshConnection.connect({ ...loginOptions(sshd, link.port, [mine]), deadlineMs: 500 }), withCode('not-ssh', { reason: 'silent' }));
      link.shape({});
      const stallAfterHostKey = SshConnection.connect({
        ...loginOptions(sshd, link.port, [mine]),
        deadlineMs: 2_000,
        verifyHostKey: () => {
          link.shape({ fault: 'stall' });
          return true;
        },
      });
      await assert.rejects(stallAfterHostKey, withCode('timeout'));
      assert.ok(Date.now() - started < 30_000);
    });

    it('is told apart from a server that is cut off during the login', async () => {
      const sshd = await server();
      const link = await openRelay(sshd);
      scratch.onEnd(() => link.close());
      const cut = SshConnection.connect({
        ...loginOptions(sshd, link.port, [mine]),
        verifyHostKey: () => {
          link.cut();
          return true;
        },
      });
      await assert.rejects(cut, withCode('closed'));
    });

    it('can be given up at every stage', async () => {
      const sshd = await server();
      await assert.rejects(connect(sshd, [mine], { signal: AbortSignal.abort() }), { name: 'CancelledError' });
      const abort = new AbortController();
      const never = new Promise<boolean>(() => {});
      const waiting = connect(sshd, [mine], {
        signal: abort.signal,
        verifyHostKey: () => {
          setTimeout(() => abort.abort(), 20);
          return never;
        },
      });
      await assert.rejects(waiting, { name: 'CancelledError' });
    });

    it('that is cut rejects everything that is pending, at once, with the reason', async () => {
      const { link, connection } = await throughLink(await server());
      const sftp = await connection.sftp();
      const channel = await connection.exec('cat');
      channel.resume();
      channel.stderr.resume();
      const closed = new Promise((resolve) => channel.once('close', resolve));
      // The server does not hear of these any more.
      link.shape({ fault: 'stall' });
      const pending = [connection.run('sleep 60'), connection.exec('sleep 60'), connection.sftp(), connection.forwardOut('127.0.0.1', 9), connection.ping()];
      const told = connection.closed;
      const outcomes = Promise.all(pending.map((promise) => assert.rejects(promise, withCode('closed'))));
      await sleep(20);
      const started = Date.now();
      link.cut();
      await outcomes;
      assert.ok(Date.now() - started < 5_000, 'long before any deadline');
      await closed;
      await sftp.closed;
      assert.equal((await told).code, 'closed');
      assert.equal(connection.closedBy?.code, 'closed');
      assert.equal(connection.signal.aborted, true);
      await assert.rejects(connection.run('true'), withCode('closed'));
      await new Promise<void>((resolve) => connection.onClose(() => resolve()));
    });

    it('that is cut in the middle of a command is no exit code', async () => {
      const { link, connection } = await throughLink(await server());
      const running = connection.run('echo started; sleep 60');
      const rejected = assert.rejects(running, withCode('closed'));
      await until(() => connection.sessionCount === 1, 'the session');
      await sleep(100);
      link.cut();
      await rejected;
    });

    it('that has gone silent is noticed', async () => {
      const { link, connection } = await throughLink(await server(), { keepaliveMs: 400, keepaliveCountMax: 8 });
      const { received } = connection.traffic;
      await until(() => connection.traffic.received > received, 'an answer to a question');
      await sleep(1_300);
      assert.equal(connection.closedBy, undefined, 'an idle link lives');
      const stalled = Date.now();
      link.shape({ fault: 'stall' });
      const rejected = assert.rejects(connection.run('true'), withCode('closed', { reason: 'silent' }));
      await rejected;
      assert.ok(Date.now() - stalled < 30_000);
    });

    it('that is slow but full of data is left in peace', async () => {
      const sshd = await server();
      const { link, connection } = await throughLink(sshd, { keepaliveMs: 400, keepaliveCountMax: 4 });
      link.shape({ bytesPerSecond: 200_000 });
      const { stdout } = await connection.run('head -c 600000 /dev/zero');
      assert.equal(stdout.length, 600_000);
    });

    it('opens within a deadline or says that it did not', async () => {
      const { link, connection } = await throughLink(await server(), { keepaliveMs: 0 });
      link.shape({ fault: 'stall' });
      await assert.rejects(connection.exec('true', { deadlineMs: 200 }), withCode('timeout', { stage: 'open' }));
      await assert.rejects(connection.run('true', { deadlineMs: 200 }), withCode('timeout'));
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 50);
      await assert.rejects(connection.run('true', { signal: abort.signal }), { name: 'CancelledError' });
    });
  });

  describe('running commands', () => {
    it('gives back output, exit codes and signals', async () => {
      const connection = await connected();
      const result = await connection.run('echo out; echo err >&2; exit 42');
      assert.deepEqual({ ...result, stdout: result.stdout.toString(), stderr: result.stderr.toString() }, { stdout: 'out\n', stderr: 'err\n', code: 42 });
      const killed = await connection.run('kill -9 $$');
      assert.equal(killed.code, undefined);
      assert.equal(killed.signal, 'SIGKILL');
      assert.equal((await connection.run('no-such-command')).code, 127);
    });

    it('takes 100 KB and more of input', async () => {
      const connection = await connected();
      for (const size of [0, 1, 100_000, 5_000_000]) {
        const input = Buffer.alloc(size, 'ab\n');
        const { stdout, code } = await connection.run('cat', { input });
        assert.equal(code, 0);
        assert.ok(stdout.equals(input), String(size));
      }
      assert.equal((await connection.run('true', { input: Buffer.alloc(5_000_000) })).code, 0, 'input that nobody reads');
      assert.equal((await connection.run('cat')).stdout.length, 0, 'no input is an end, not a wait');
    });

    it('keeps as much output as asked and ends a command that has more', async () => {
      const connection = await connected();
      const { stdout, truncated } = await connection.run('yes', { maxBytes: 1_000 });
      assert.equal(stdout.length, 1_000);
      assert.equal(truncated, true);
      const exact = await connection.run('head -c 1000 /dev/zero', { maxBytes: 1_000 });
      assert.equal(exact.truncated, undefined);
      await until(() => connection.sessionCount === 0, 'the session is given back');
    });

    it('ends at its deadline or when nobody wants it any more', async () => {
      const connection = await connected();
      const end = path.join(dir, 'end');
      const wait = `until [ -e '${end}' ]; do sleep 0.05; done`;
      await assert.rejects(connection.run(wait, { deadlineMs: 2_000 }), withCode('timeout', { stage: 'run' }));
      const abort = new AbortController();
      void until(() => connection.sessionCount === 2, 'the second has begun').then(() => setTimeout(() => abort.abort(), 200));
      await assert.rejects(connection.run(wait, { signal: abort.signal }), { name: 'CancelledError' });
      // The commands live on and so do their sessions, which is what the server counts too.
      assert.equal(connection.sessionCount, 2);
      await writeFile(end, '');
      await until(() => connection.sessionCount === 0, 'the sessions are given back');
      assert.equal((await connection.run('echo on')).stdout.toString(), 'on\n');
    });

    it('ends the command on the server too, with all it started, when asked to', async () => {
      const connection = await connected();
      const file = path.join(dir, 'pids');
      // One that goes quietly, one that has to be killed.
      for (const [i, ignore] of ['', "trap '' TERM; "].entries()) {
        const abort = new AbortController();
        const running = connection.run(`${ignore}sleep 301 & echo $$ $! >${file}${i}; wait; sleep 301`, { endable: true, signal: abort.signal });
        const rejected = assert.rejects(running, { name: 'CancelledError' });
        const pids = (): Promise<string> => readFile(`${file}${i}`, 'utf8').catch(() => '');
        await until(async () => (await pids()).includes('\n'), 'the command runs');
        abort.abort();
        await rejected;
        await until(() => connection.sessionCount === 0, 'the session is given back');
        const alive = await connection.run(`kill -0 ${(await pids()).trim().split(' ').join(' || kill -0 ')}`);
        assert.notEqual(alive.code, 0);
      }
    });

    it('tells an endable command’s output and exit code as they are', async () => {
      const connection = await connected();
      const text = 'it\'s "$HOME" `x` \\n';
      const { stdout, stderr, code } = await connection.run(`printf '%s' '${text.replaceAll("'", "'\\''")}'; cat; echo err >&2; exit 7`, { endable: true });
      assert.deepEqual([stdout.toString(), stderr.toString(), code], [text, 'err\n', 7]);
      assert.equal((await connection.run('kill -9 $$', { endable: true })).code, 137);
      assert.equal(connection.sessionCount, 0);
    });

    it('does not gather what nobody reads', async () => {
      const connection = await connected();
      const channel = await connection.exec('head -c 104857600 /dev/zero', { stdin: null });
      channel.stderr.resume();
      const before = connection.traffic.received;
      await sleep(500);
      const waiting = connection.traffic.received - before;
      assert.ok(waiting < 6_000_000, `the server sent ${waiting} bytes that nobody asked for`);
      // Read slowly at first, then as fast as it comes; memory must not follow the 100 MB.
      let total = 0;
      let highest = 0;
      const base = process.memoryUsage().rss;
      for await (const chunk of channel) {
        assert.ok(chunk instanceof Buffer);
        total += chunk.length;
        highest = Math.max(highest, process.memoryUsage.rss() - base);
        if (total < 3_000_000) await sleep(1);
      }
      assert.equal(total, 104_857_600);
      assert.ok(highest < 80_000_000, `memory grew by ${highest} bytes`);
    });

    it('in a terminal has its size, its type and one stream', async () => {
      const connection = await connected();
      const channel = await connection.exec('stty size; echo $TERM; read line; stty size; echo err >&2; exit 3', { pty: { cols: 91, rows: 17, term: 'xterm' } });
      let out = '';
      channel.on('data', (chunk: Buffer) => (out += chunk.toString()));
      const code = new Promise((resolve) => channel.once('close', resolve));
      await until(() => out.includes('xterm'), 'the first lines');
      channel.setWindow(40, 120, 0, 0);
      channel.write('\n');
      assert.equal(await code, 3);
      assert.deepEqual(out.replaceAll('\r', '').trim().split('\n').filter(Boolean), ['17 91', 'xterm', '40 120', 'err']);
    });

    it('opens a login shell and passes what the server accepts of the environment', async () => {
      const connection = await connected({}, { extraConfig: 'AcceptEnv RUN_*' });
      const channel = await connection.shell({ cols: 80, rows: 24, env: { RUN_ID: 'llama ft', OTHER: 'x' } });
      channel.write('echo "[$RUN_ID|$OTHER|$0]"; exit 5\n');
      const { out, code } = await collect(channel);
      assert.match(out, /\[llama ft\|\|-\w*sh\]/);
      assert.equal(code, 5);
    });

    it('survives writing to a command that is gone', async () => {
      const connection = await connected();
      const channel = await connection.exec('true');
      await collect(channel);
      channel.write('nobody reads this');
      channel.end('nor this');
      channel.write('and this is an error event');
      await sleep(50);
      assert.equal((await connection.run('echo on')).stdout.toString(), 'on\n');
    });
  });

  describe('files and forwards', () => {
    it('opens SFTP with the server’s own table of extensions', async () => {
      const connection = await connected();
      const session = await connection.sftp();
      const { sftp, extensions, closed } = session;
      assert.equal(extensions.get('posix-rename@openssh.com'), '1');
      assert.ok(extensions.has('fsync@openssh.com'));
      await writeFile(path.join(dir, 'train.py'), 'print(1)');
      const stats = await new Promise<{ size: number }>((resolve, reject) => sftp.stat(path.join(dir, 'train.py'), (error, attrs) => (error ? reject(error) : resolve(attrs))));
      assert.equal(stats.size, 8);
      session.end();
      await closed;
      await until(() => connection.sessionCount === 0, 'the session is given back');
    });

    it('hands out the SFTP subsystem’s bytes', async () => {
      const connection = await connected();
      const channel = await connection.rawSftp();
      const answer = new Promise<Buffer>((resolve) => channel.once('data', resolve));
      channel.write(Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]));
      assert.deepEqual([...(await answer).subarray(4, 9)], [2, 0, 0, 0, 3]);
      channel.end();
      await until(() => connection.sessionCount === 0, 'the session is given back');
      await assert.rejects((await connected({}, { sftp: 'none' })).rawSftp(), withCode('no-sftp'));
    });

    it('says when a server has no SFTP, and asks it once', async () => {
      const connection = await connected({}, { sftp: 'none' });
      await assert.rejects(connection.sftp(), withCode('no-sftp'));
      await assert.rejects(connection.sftp(), withCode('no-sftp'));
      assert.equal(connection.sessionCount, 1);
      const broken = await connected({}, { sftp: '/no/such/sftp-server' });
      await assert.rejects(broken.sftp(), withCode('no-sftp'));
      assert.equal(broken.closedBy, undefined);
    });

    it('forwards to what listens at the server, and says when nothing does', async () => {
      const other = await server();
      const connection = await connected();
      const channel = await connection.forwardOut('127.0.0.1', other.port);
      const banner = await new Promise<string>((resolve) => channel.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      assert.match(banner, /^SSH-2\.0-/);
      channel.end();
      assert.equal(connection.sessionCount, 0);
      await assert.rejects(connection.forwardOut('127.0.0.1', 1), withCode('channel-refused', { stage: 'open' }));
    });
  });

  it('says goodbye, and what is pending hears of it', async () => {
    const sshd = await server();
    const connection = ended(await connect(sshd, [mine]));
    const pending = assert.rejects(connection.run('sleep 60'), withCode('closed', { reason: 'ended' }));
    await sleep(100);
    connection.end();
    await pending;
    await until(() => /disconnect/i.test(sshd.log), 'the server was told');
  });

  it('hears of a server that ends', async () => {
    const sshd = await server();
    const connection = ended(await connect(sshd, [mine]));
    const told = new Promise<string>((resolve) => connection.onClose((reason) => resolve(reason.code)));
    await sshd.stop();
    assert.equal(await told, 'closed');
  });
});
