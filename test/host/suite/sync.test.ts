import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { command, podNamed, until } from './account';

interface Pushed {
  readonly target: string;
  readonly files: number;
  readonly bytes: number;
  readonly unchanged: number;
  readonly removed: readonly string[];
  readonly conflicts: readonly string[];
  readonly newer: readonly string[];
  readonly secrets: readonly string[];
  readonly send?: readonly string[];
}
interface Pulled {
  readonly files: number;
  readonly conflicts: readonly string[];
}
interface Status {
  readonly push: readonly { path: string }[];
  readonly pull: readonly { path: string }[];
  readonly conflicts: readonly { path: string }[];
}

const { fs } = vscode.workspace;

describe('a local folder and its place on a pod', () => {
  let pod: string;
  let root: string;
  let there: vscode.Uri;
  const destination = 'suite-sync';
  const folder = (): vscode.Uri => vscode.Uri.file(root);
  const put = async (name: string, text: string): Promise<void> => {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  };
  const remote = async (name: string): Promise<string> => Buffer.from(await fs.readFile(vscode.Uri.joinPath(there, name))).toString();
  const putThere = (name: string, text: string): Thenable<void> => fs.writeFile(vscode.Uri.joinPath(there, name), Buffer.from(text));
  const push = (more: Record<string, unknown> = {}): Thenable<Pushed> => command<Pushed>('runpod.push', folder(), { pod, destination, confirmed: true, ...more });
  const pull = (more: Record<string, unknown> = {}): Thenable<Pulled> => command<Pulled>('runpod.pull', folder(), { pod, destination, confirmed: true, ...more });

  before(async () => {
    const found = await podNamed('llama-ft');
    if (found.status === 'EXITED') await command('runpod.startPod', found.id);
    pod = found.id;
    const mount = found.mounts.persistent?.path ?? found.mounts.network?.[0]?.path ?? '/workspace';
    there = vscode.Uri.from({ scheme: 'runpod', authority: pod, path: `${mount}/${destination}` });
    root = await mkdtemp(join(tmpdir(), 'suite-sync-'));
    await until('the pod’s files', () => Promise.resolve(fs.readDirectory(vscode.Uri.joinPath(there, '..'))).then(() => true, () => false));
    await put('train.py', 'print(1)\n');
    await put('src/model.py', 'x = 1\n');
    await put('.env', 'KEY=1\n');
    await put('.gitignore', '*.ckpt\n');
    await put('big.ckpt', 'weights');
  });
  after(async () => {
    await fs.delete(there, { recursive: true });
    await rm(root, { recursive: true, force: true });
  });

  it('shows what a push would do, and pushes just that', async () => {
    const shown = await push({ dryRun: true });
    assert.deepEqual([...(shown.send ?? [])].sort(), ['.gitignore', 'src/model.py', 'train.py']);
    assert.deepEqual(shown.secrets, ['.env']);
    const done = await push();
    assert.deepEqual([done.files, done.target], [3, there.path]);
    assert.equal(await remote('src/model.py'), 'x = 1\n');
    assert.deepEqual([(await push()).files, (await push()).unchanged], [0, 3]);
  });

  it('tells both sides’ changes apart, brings the pod’s, and overwrites nothing unasked', async () => {
    await put('train.py', 'print(22)\n');
    await put('src/model.py', 'x = "mine"\n');
    await putThere('src/model.py', 'x = "theirs"\n');
    await putThere('result.csv', 'a,b\n');
    const status = await command<Status>('runpod.syncStatus', folder(), { pod, destination });
    const names = (files: readonly { path: string }[]): string[] => files.map(({ path }) => path);
    assert.deepEqual([names(status.push), names(status.pull), names(status.conflicts)], [['train.py'], ['result.csv'], ['src/model.py']]);
    assert.deepEqual((await pull({ conflicts: 'keep' })).conflicts, ['src/model.py']);
    assert.equal(await readFile(join(root, 'result.csv'), 'utf8'), 'a,b\n');
    assert.equal(await readFile(join(root, 'src/model.py'), 'utf8'), 'x = "mine"\n');
    const pushed = await push({ conflicts: 'overwrite' });
    assert.equal(pushed.files, 2);
    assert.equal(await remote('src/model.py'), 'x = "mine"\n');
  });

  it('mirrors into the recycle folder, and pushes a part', async () => {
    await putThere('old.py', 'old');
    await putThere('kept.ckpt', 'weights');
    assert.deepEqual((await push({ mirror: true })).removed, ['old.py']);
    await assert.rejects(Promise.resolve(remote('old.py')));
    assert.equal(await remote('kept.ckpt'), 'weights');
    await put('a.py', '1');
    await put('src/b.py', '1');
    assert.equal((await push({ paths: ['src'] })).files, 1);
    assert.equal((await command<Pushed>('runpod.push', vscode.Uri.file(join(root, 'a.py')), { pod, destination, confirmed: true })).files, 1);
  });

  it('is a step of other tasks, with an exit code that tells a conflict from a failure', async () => {
    const [open] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(open !== undefined);
    const base = { type: 'runpod-sync', pod, destination, source: root };
    const list = vscode.Uri.joinPath(open.uri, '.vscode', 'tasks.json');
    await fs.writeFile(
      list,
      Buffer.from(
        JSON.stringify({
          version: '2.0.0',
          tasks: [
            { ...base, label: 'sync push', action: 'push' },
            { ...base, label: 'sync pull', action: 'pull', conflicts: 'overwrite' },
            { ...base, label: 'sync wrong', action: 'mirror' },
            { type: 'runpod', label: 'sync and run', command: 'cat step.py', pod, cwd: destination, dependsOn: ['sync push'] },
          ],
        }),
      ),
    );
    /** Runs a task as a person does from the list, and tells how the tasks of these names ended. */
    const run = async (label: string, ...others: readonly string[]): Promise<Record<string, number | undefined>> => {
      let task: vscode.Task | undefined;
      await until(label, async () => (task = (await vscode.tasks.fetchTasks()).find(({ name }) => name === label)) !== undefined);
      const codes: Record<string, number | undefined> = {};
      const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => (codes[execution.task.name] = exitCode));
      try {
        if (task !== undefined) await vscode.tasks.executeTask(task);
        await until(`the end of ${label}`, () => (others.length > 0 ? others : [label]).every((name) => name in codes));
        return codes;
      } finally {
        listener.dispose();
      }
    };
    try {
      await put('step.py', 'step = 1\n');
      assert.deepEqual(await run('sync and run', 'sync push', 'sync and run'), { 'sync push': 0, 'sync and run': 0 });
      assert.equal(await remote('step.py'), 'step = 1\n');
      await put('step.py', 'step = "mine"\n');
      await putThere('step.py', 'step = "theirs"\n');
      // What depends on a push that met a conflict does not begin.
      assert.deepEqual(await run('sync and run', 'sync push'), { 'sync push': 2 });
      assert.equal(await remote('step.py'), 'step = "theirs"\n');
      assert.deepEqual(await run('sync pull'), { 'sync pull': 0 });
      assert.equal(await readFile(join(root, 'step.py'), 'utf8'), 'step = "theirs"\n');
      assert.deepEqual(await run('sync wrong'), { 'sync wrong': 1 });
    } finally {
      await fs.delete(list);
    }
  });

  it('lies where the folder’s profile says', async () => {
    const [open] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(open !== undefined && open.uri.scheme === 'file');
    const profile = vscode.Uri.joinPath(open.uri, 'runpod.json');
    await fs.writeFile(profile, Buffer.from(JSON.stringify({ gpu: 'L4', destination: `${destination}/by-profile` })));
    try {
      assert.equal((await command<Pushed>('runpod.push', open.uri, { pod, dryRun: true })).target, `${there.path}/by-profile`);
      assert.equal((await command<Pushed>('runpod.push', open.uri, { pod, dryRun: true, destination: 'elsewhere' })).target.endsWith('/elsewhere'), true);
    } finally {
      await fs.delete(profile);
    }
  });

  it('counts as use of the pod, which an idle limit would end otherwise', async () => {
    await command('runpod.setLimit', pod, { idleStopMinutes: 45 });
    const used = there.with({ path: `/tmp/.runpod-workspaces/${pod}/guard/used` });
    try {
      await fs.delete(used).then(undefined, () => undefined);
      await put('use.py', '1');
      await push();
      await until('the note of use', () => Promise.resolve(fs.stat(used)).then(() => true, () => false));
    } finally {
      await command('runpod.liftLimit', pod, { confirmed: true });
    }
  });
});
