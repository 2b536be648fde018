import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { command, podNamed, until } from './account';

const run = promisify(execFile);
const { fs } = vscode.workspace;

describe('a pod as a git remote of a local folder', () => {
  let pod: string;
  let root: string;
  let there: vscode.Uri;
  const destination = `suite's git`;
  const git = async (...words: string[]): Promise<string> => (await run('git', ['-C', root, ...words])).stdout.trim();
  const add = (more: Record<string, unknown> = {}): Thenable<{ name: string; url: string; path: string }> => command('runpod.addGitRemote', root, { pod, destination, confirmed: true, ...more });

  before(async () => {
    const found = await podNamed('llama-ft');
    if (found.status === 'EXITED') await command('runpod.startPod', found.id);
    pod = found.id;
    const mount = found.mounts.persistent?.path ?? found.mounts.network?.[0]?.path ?? '/workspace';
    there = vscode.Uri.from({ scheme: 'runpod', authority: pod, path: `${mount}/${destination}` });
    root = await mkdtemp(join(tmpdir(), 'suite git '));
    await git('init', '-q');
    await git('symbolic-ref', 'HEAD', 'refs/heads/dev');
    await git('config', 'user.name', 'someone');
    await git('config', 'user.email', 'someone@example.invalid');
    // ssh takes the home folder from the account, and this editor has another; git does as it is told.
    await git('config', 'core.sshCommand', `ssh -F '${join(homedir(), '.ssh/runpod-workspaces/config')}'`);
    await mkdir(join(root, 'src'));
    await writeFile(join(root, 'src/train.py'), 'print(1)\n');
    await git('add', '-A');
    await git('commit', '-q', '-m', 'one');
    await until('the pod’s files', () => Promise.resolve(fs.readDirectory(vscode.Uri.joinPath(there, '..'))).then(() => true, () => false));
  });
  after(async () => {
    await command('runpod.removeSshConfig');
    await fs.delete(there, { recursive: true });
    await rm(root, { recursive: true, force: true });
  });

  it('is added once, and takes commits into its files', async () => {
    const added = await add();
    assert.deepEqual([added.name, added.url, added.path], ['runpod-llama-ft', `runpod-${pod}:${there.path}`, there.path]);
    assert.equal(await git('remote', 'get-url', added.name), added.url);
    assert.deepEqual(await add(), added);
    await git('push', '-q', added.name, 'dev');
    assert.equal(Buffer.from(await fs.readFile(vscode.Uri.joinPath(there, 'src/train.py'))).toString(), 'print(1)\n');
  });

  it('refuses what would lose work on the pod, by name', async () => {
    await fs.writeFile(vscode.Uri.joinPath(there, 'src/train.py'), Buffer.from('print("of the pod")\n'));
    await writeFile(join(root, 'src/train.py'), 'print(2)\n');
    await git('commit', '-q', '-a', '-m', 'two');
    await assert.rejects(git('push', 'runpod-llama-ft', 'dev'), /Refused: [^]*src\/train\.py/);
    assert.equal(Buffer.from(await fs.readFile(vscode.Uri.joinPath(there, 'src/train.py'))).toString(), 'print("of the pod")\n');
  });

  it('says why not: another history, a name that is taken, a folder without a repository', async () => {
    const other = await mkdtemp(join(tmpdir(), 'suite-git-'));
    try {
      await assert.rejects(Promise.resolve(command('runpod.addGitRemote', other, { pod, confirmed: true })), /not in a git repository/);
      await assert.rejects(Promise.resolve(add({ name: 'a b' })), /no remote of the name/);
      await git('remote', 'add', 'mine', 'https://example.invalid/mine.git');
      await git('remote', 'remove', 'runpod-llama-ft');
      await assert.rejects(Promise.resolve(add({ name: 'mine' })), /leads elsewhere/);
      // The name of a pod that is gone is taken over; a person's own stays theirs.
      await git('remote', 'add', 'runpod-llama-ft', 'runpod-gone123:/workspace/old');
      assert.equal(await git('remote', 'get-url', (await add()).name), `runpod-${pod}:${there.path}`);
      await git('remote', 'set-url', 'runpod-llama-ft', 'https://example.invalid/theirs.git');
      assert.equal((await add()).name, 'runpod-llama-ft-2');
      // What was fetched from there would be a history in common.
      for (const name of ['runpod-llama-ft', 'runpod-llama-ft-2']) await git('remote', 'remove', name);
      await git('checkout', '-q', '--orphan', 'else');
      await git('commit', '-q', '-m', 'three');
      await git('branch', '-q', '-D', 'dev');
      await git('reflog', 'expire', '--expire=now', '--all');
      await git('gc', '-q', '--prune=now');
      await assert.rejects(Promise.resolve(add()), /another history/);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });
});
