import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { quote } from '../../src/base/shell';
import { ConfigFiles } from '../../src/ssh/configFiles';
import type { ConfigHost } from '../../src/ssh/configText';
import type { SshConnection } from '../../src/ssh/connection';
import { GitError } from '../../src/sync/git/errors';
import { repositoryHere, sharesHistory } from '../../src/sync/git/here';
import { HOOK_MARK } from '../../src/sync/git/hook';
import type { SyncHost } from '../../src/sync/host';
import { Git } from '../../src/sync/git/program';
import { freeName, podOfUrl, reachRemote, remoteName, remotesOf, remoteUrl, requireRemoteName } from '../../src/sync/git/remotes';
import { lookThere, makeThere } from '../../src/sync/git/there';
import { pushBesideWork, put, repository } from './gitModel';
import { startSshPod, type SshPod } from './sshPod';

const run = promisify(execFile);

const commit = async (git: Git, message = 'work'): Promise<string> => {
  await git.do(['add', '-A']);
  await git.do(['commit', '-q', '-m', message]);
  return (await git.do(['rev-parse', 'HEAD'])).trim();
};
const failsWith = (code: GitError['code'], detail = /(?:)/) => (error: unknown): true => {
  assert.ok(error instanceof GitError, String(error));
  assert.equal(error.code, code);
  assert.match(error.facts.detail ?? '', detail);
  return true;
};

describe('a pod as a git remote', () => {
  let pod: SshPod;
  let connection: SshConnection;
  let dir: string;
  let files: ConfigFiles;
  let local: Git;
  let there: string;

  before(async () => {
    pod = await startSshPod();
    connection = await pod.connect();
  });
  after(() => pod.stop());

  let count = 0;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'git remote '));
    there = path.join(pod.mount, `it's a "project" ${++count}`);
    files = new ConfigFiles(path.join(dir, 'pods'), 'test');
    await writeAddress({ host: pod.sshd.host, port: pod.sshd.port, username: pod.sshd.username });
    local = await repository(path.join(dir, 'here now'), 'dev');
    await local.do(['config', 'core.sshCommand', `ssh -F '${files.config}' -o BatchMode=yes`]);
    await put(local.folder, 'train.py', 'print(1)\n');
    await put(local.folder, 'src/model.py', 'x = 1\n');
    await commit(local);
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function writeAddress(at: ConfigHost['at']): Promise<void> {
    const [type = '', key = ''] = (pod.sshd.hostKeys[0]?.publicKey ?? '').split(' ');
    const host: ConfigHost = { podId: 'abc', alias: 'runpod-llama-ft', start: 'one', at, identityFiles: [pod.keyPath], identitiesOnly: true };
    await files.write([host], new Map([['abc', `runpod-abc ${type} ${key}`]]));
  }
  const onPod = async (script: string): Promise<string> => (await connection.run(`cd ${quote(there)} && ${script}`)).stdout.toString();
  const url = (): string => remoteUrl('abc', there);
  const add = async (): Promise<void> => {
    await makeThere(connection, there, await repositoryHere(local));
    await reachRemote(local, url());
    await local.do(['remote', 'add', '--', 'runpod-llama-ft', url()]);
  };
  const push = (): Promise<{ code: number; stderr: string }> => local.ask(['push', 'runpod-llama-ft', 'dev']);
  const read = (name: string): Promise<string> => readFile(path.join(there, name), 'utf8');

  it('takes pushes into the files, and gives its commits to a pull', async () => {
    assert.deepEqual(await lookThere(connection, there), { kind: 'missing', branch: undefined, commit: undefined, roots: [] });
    await add();
    assert.deepEqual([(await lookThere(connection, there)).kind, (await lookThere(connection, there)).branch], ['repository', 'dev']);
    assert.equal((await push()).code, 0);
    assert.equal(await read('src/model.py'), 'x = 1\n');
    assert.equal(await onPod('git status --porcelain'), '');
    await rm(path.join(local.folder, 'src/model.py'));
    await put(local.folder, 'src/model.py/__init__.py', 'x = 2\n');
    await put(local.folder, 'größe "1".txt', 'g');
    await commit(local);
    assert.equal((await push()).code, 0);
    assert.deepEqual([await read('src/model.py/__init__.py'), await read('größe "1".txt')], ['x = 2\n', 'g']);
    await onPod('echo result >out.txt && git add out.txt && git commit -q -m result');
    await local.do(['pull', '-q', '--ff-only', 'runpod-llama-ft', 'dev']);
    assert.equal(await readFile(path.join(local.folder, 'out.txt'), 'utf8'), 'result\n');
    const look = await lookThere(connection, there);
    assert.equal(look.commit, (await local.do(['rev-parse', 'HEAD'])).trim());
    assert.equal(look.roots.length, 1);
  });

  it('is reached at the address of its present start, and not while it is stopped', async () => {
    await add();
    await writeAddress('stopped');
    await assert.rejects(reachRemote(local, url()), failsWith('not-reached', /this-pod-is-stopped/));
    assert.notEqual((await push()).code, 0);
    await writeAddress({ host: pod.sshd.host, port: pod.sshd.port, username: pod.sshd.username });
    assert.equal((await push()).code, 0);
    await local.do(['config', 'core.sshCommand', 'ssh -F none']);
    await assert.rejects(reachRemote(local, url()), (error: unknown) => failsWith('not-reached')(error) && (error as GitError).facts.sshCommand === 'ssh -F none');
  });

  it('refuses what would be lost, by name, and leaves it as it is', async () => {
    await add();
    await push();
    await onPod(`echo 'lr = 3' >>train.py && echo new >added.py && git add added.py && rm src/model.py`);
    await put(local.folder, 'train.py', 'print(2)\n');
    await commit(local);
    const refused = await push();
    assert.match(refused.stderr, /Refused: in .*it's a "project"[^]*\n {2}added\.py\n {2}src\/model\.py\n {2}train\.py\nCommit it on the pod and pull/);
    assert.match(refused.stderr, /\[remote rejected\] dev -> dev/);
    assert.equal(await read('train.py'), 'print(1)\nlr = 3\n');
    assert.equal(await onPod('git status --porcelain'), 'A  added.py\n D src/model.py\n M train.py\n');
    assert.deepEqual((await readdir(path.join(there, '.git'))).filter((name) => /runpod|lock/.test(name)), []);
    await onPod('git reset -q --hard');
    assert.equal((await push()).code, 0);
  });

  it('begins in a folder that has files: what is the same is taken, what is not stays', async () => {
    await put(there, 'train.py', 'print(1)\n');
    await put(there, 'src/model.py', 'x = "of the pod"\n');
    await put(there, 'out/loss.csv', '1,2\n');
    await put(there, '.gitignore', '*.ckpt\n');
    await put(there, 'best.ckpt', 'weights of the pod');
    assert.equal((await lookThere(connection, there)).kind, 'files');
    await add();
    const refused = await push();
    assert.match(refused.stderr, /\n {2}src\/model\.py\nCommit/);
    assert.ok(!refused.stderr.includes('train.py'));
    assert.equal(await read('src/model.py'), 'x = "of the pod"\n');
    await put(there, 'src/model.py', 'x = 1\n');
    assert.equal((await push()).code, 0);
    assert.equal(await onPod('git status --porcelain'), '?? .gitignore\n?? out/\n');
    // git itself writes over what is ignored.
    await put(local.folder, 'best.ckpt', 'weights from here');
    await commit(local);
    assert.match((await push()).stderr, /\n {2}best\.ckpt\n/);
    assert.equal(await read('best.ckpt'), 'weights of the pod');
  });

  it('takes a commit of what was sent before it was one', async () => {
    await add();
    await push();
    for (const root of [local.folder, there]) {
      await put(root, 'train.py', 'print(3)\n');
      await put(root, 'new.py', 'n = 1\n');
      await rm(path.join(root, 'src/model.py'));
    }
    await commit(local);
    const { code, stderr } = await push();
    assert.equal(code, 0, stderr);
    assert.equal(await onPod('git status --porcelain'), '');
    assert.deepEqual((await readdir(there)).sort(), ['.git', 'new.py', 'train.py']);
  });

  it('knows a repository that is there: the same one, another, one without files, one cut off in the making', async () => {
    await add();
    await push();
    const other = await repository(path.join(pod.mount, `other ${count}`));
    await put(other.folder, 'a', '1');
    await commit(other);
    assert.equal(await sharesHistory(local, await lookThere(connection, there)), true);
    await onPod('git commit -q --allow-empty -m more');
    assert.equal(await sharesHistory(local, await lookThere(connection, there)), true);
    assert.equal(await sharesHistory(local, await lookThere(connection, other.folder)), false);
    await other.do(['init', '-q', '--bare', 'bare.git']);
    assert.equal((await lookThere(connection, path.join(other.folder, 'bare.git'))).kind, 'bare');
    const inner = path.join(other.folder, 'inner');
    await mkdir(path.join(inner, '.git'), { recursive: true });
    assert.equal((await lookThere(connection, inner)).kind, 'files');
    await makeThere(connection, inner, await repositoryHere(local));
    assert.equal((await lookThere(connection, inner)).kind, 'repository');
    assert.equal(await other.tell('config', 'receive.denyCurrentBranch'), undefined, 'the repository around it is left alone');
  });

  it('leaves a person’s settings and hooks as they are', async () => {
    await add();
    const hook = path.join(there, '.git/hooks/push-to-checkout');
    assert.ok((await readFile(hook, 'utf8')).includes(HOOK_MARK));
    await writeFile(hook, '#!/bin/sh\nexit 0\n');
    await onPod('git config receive.denyCurrentBranch ignore && git config user.name other');
    await makeThere(connection, there, await repositoryHere(local));
    assert.equal(await readFile(hook, 'utf8'), '#!/bin/sh\nexit 0\n');
    assert.equal(await onPod('git config receive.denyCurrentBranch; git config user.name'), 'ignore\nother\n');
  });

  it('is made whole or not at all, and made again', async () => {
    const cut: SyncHost = { exec: (...all) => connection.exec(...all), run: (command, { input, ...how } = {}) => connection.run(command, { ...how, ...(input === undefined ? {} : { input: input.slice(0, 900) }) }) };
    await assert.rejects(makeThere(cut, there, await repositoryHere(local)), failsWith('there-refuses'));
    assert.deepEqual((await readdir(path.join(there, '.git/hooks'))).filter((name) => !name.endsWith('.sample')), []);
    await add();
    assert.equal((await push()).code, 0);
  });

  it('says what is in the way', async () => {
    await put(pod.mount, `file ${count}`, '');
    await assert.rejects(lookThere(connection, path.join(pod.mount, `file ${count}`)), failsWith('not-a-folder'));
    await assert.rejects(makeThere(connection, path.join(pod.mount, `file ${count}`, 'x'), await repositoryHere(local)), failsWith('there-refuses', /Not a directory/));
    await assert.rejects(repositoryHere(new Git(dir)), failsWith('no-repository'));
    await assert.rejects(repositoryHere(new Git(local.folder, path.join(dir, 'no-such-git'))), failsWith('no-git-here'));
    const bin = path.join(dir, 'bin');
    await mkdir(bin);
    const talkative: SyncHost = { ...connection, exec: (...all) => connection.exec(...all), run: async (...all) => ({ ...(await connection.run(...all)), stdout: Buffer.concat([Buffer.from('Welcome! kind\nkind words\n'), (await connection.run(...all)).stdout]) }) };
    assert.equal((await lookThere(talkative, pod.mount)).kind, 'files');
    const bare = await startSshPod({ env: { PATH: bin } });
    try {
      const without = await bare.connect();
      await assert.rejects(lookThere(without, '/'), failsWith('no-git-there', /^$/));
      await symlink('/bin/true', path.join(bin, 'apk'));
      await assert.rejects(lookThere(without, '/'), failsWith('no-git-there', /^apk add git$/));
    } finally {
      await bare.stop();
    }
  });

  it('runs no program called git that lies in the folder', async () => {
    // On Windows a program is looked for in the current folder first; elsewhere a PATH can say so.
    const trap = path.join(local.folder, 'git');
    await writeFile(trap, '#!/bin/sh\necho ran > ran\n', { mode: 0o755 });
    const before = process.env['PATH'];
    process.env['PATH'] = `.:${before ?? ''}`;
    try {
      assert.equal((await repositoryHere(local)).top, await realpath(local.folder));
    } finally {
      process.env['PATH'] = before;
      await rm(trap);
    }
    await assert.rejects(access(path.join(local.folder, 'ran')));
  });

  it('takes a history that is cut off, and one of the longer hashes', async () => {
    await put(local.folder, 'a', '1');
    await commit(local);
    const shallow = new Git(path.join(dir, 'shallow'));
    await run('git', ['clone', '-q', '--depth', '1', `file://${local.folder}`, shallow.folder]);
    await shallow.do(['config', 'core.sshCommand', `ssh -F '${files.config}'`]);
    const here = await repositoryHere(shallow);
    assert.equal(here.shallow, true);
    await makeThere(connection, there, here);
    assert.equal((await shallow.ask(['push', url(), 'dev'])).code, 0);
    assert.equal(await read('a'), '1');
    assert.deepEqual((await lookThere(connection, there)).roots, []);

    const long = path.join(dir, 'long');
    await run('git', ['init', '-q', '--object-format=sha256', long]);
    const git = new Git(long);
    await git.do(['config', 'core.sshCommand', `ssh -F '${files.config}'`]);
    await put(long, 'a', '2');
    await git.do(['-c', 'user.name=s', '-c', 'user.email=s@example.invalid', 'commit', '-q', '--allow-empty', '-m', 'one']);
    there = `${there} long`;
    await makeThere(connection, there, await repositoryHere(git));
    const { code, stderr } = await git.ask(['push', url(), 'HEAD']);
    assert.equal(code, 0, stderr);
  });
});

describe('names of git remotes', () => {
  let dir: string;
  let git: Git;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'git-names-'));
    git = await repository(dir);
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('are ones that git takes, whatever the pod is called', async () => {
    for (const alias of ['runpod-llama-ft', 'runpod-a..b', 'runpod-model.lock', 'runpod-a.', 'runpod-x_1']) await requireRemoteName(git, remoteName(alias));
    for (const name of ['', '-x', 'a b', 'a..b', 'x.lock', 'a~', '../x']) await assert.rejects(requireRemoteName(git, name), failsWith('bad-name'), name);
  });

  it('are found with their addresses, odd ones too, and kept apart', async () => {
    const odd = remoteUrl('abc', `/workspace/it's "a" = b.url\nc`);
    await git.do(['remote', 'add', '--', 'runpod-a', odd]);
    await git.do(['remote', 'add', '--', 'origin', 'https://example.invalid/x.git']);
    const remotes = await remotesOf(git);
    assert.deepEqual(remotes, [{ name: 'runpod-a', url: odd }, { name: 'origin', url: 'https://example.invalid/x.git' }]);
    assert.deepEqual([freeName('runpod-a', remotes), freeName('b', remotes)], ['runpod-a-2', 'b']);
    assert.deepEqual(remotes.map((one) => podOfUrl(one.url)), ['abc', undefined]);
  });
});

describe('a push beside work on the pod', function () {
  this.timeout(300_000);
  it('loses nothing, whatever was done on both sides', async () => {
    const { accepted, refused } = await pushBesideWork({ rounds: 12, seed: 7 });
    assert.ok(accepted >= 2 && refused >= 2, `${accepted} accepted, ${refused} refused`);
  });
});
