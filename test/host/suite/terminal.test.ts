import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { command, podNamed, until } from './account';

const { fs } = vscode.workspace;

describe('terminals, tasks and runs on a pod', () => {
  let podId: string;
  let mount: string;
  let root: vscode.Uri;
  const at = (...names: string[]): vscode.Uri => vscode.Uri.joinPath(root, ...names);
  const put = (name: string, content: string): Thenable<void> => fs.writeFile(at(name), Buffer.from(content));
  const read = async (uri: vscode.Uri): Promise<string> => Buffer.from(await fs.readFile(uri)).toString();
  const comes = async (uri: vscode.Uri): Promise<string> => {
    let text = '';
    await until(uri.path, async () => {
      text = await read(uri).catch(() => '');
      return text.endsWith('\n');
    });
    return text;
  };

  const exists = async (work: Thenable<unknown>): Promise<boolean> => {
    try {
      await work;
      return true;
    } catch {
      return false;
    }
  };

  before(async () => {
    const pod = await podNamed('llama-ft');
    podId = pod.id;
    if (pod.status === 'EXITED') await command('runpod.startPod', pod.id);
    mount = pod.mounts.persistent?.path ?? pod.mounts.network?.[0]?.path ?? '/workspace';
    root = vscode.Uri.from({ scheme: 'runpod', authority: pod.id, path: `${mount}/suite-terminal` });
    await until('the pod', () => exists(fs.createDirectory(root)));
  });
  after(() => fs.delete(root, { recursive: true }));
  afterEach(() => {
    for (const terminal of vscode.window.terminals) terminal.dispose();
  });

  it('Run Command on Pod hands back the exit code', async () => {
    assert.deepEqual(await command('runpod.runCommand', podId, 'true'), { exitCode: 0 });
    assert.deepEqual(await command('runpod.runCommand', 'llama-ft', 'exit 3'), { exitCode: 3 });
    assert.deepEqual(await command('runpod.runCommand', 'llama-ft', 'exit 3'), { exitCode: 3 }, 'and again at once');
    assert.deepEqual(await command('runpod.runCommand', podId, 'kill -TERM $$'), { exitCode: 143 });
  });

  it('Run Command on Pod runs in the mount path, with the pod’s own environment and a terminal', async () => {
    const { exitCode } = await command<{ exitCode: number }>('runpod.runCommand', podId, `test -t 1 && echo "$PWD|$RUNPOD_POD_ID|$PYTHONUNBUFFERED" > suite-terminal/env.txt`);
    assert.equal(exitCode, 0);
    assert.equal(await read(at('env.txt')), `${mount}|${podId}|1\n`);
  });

  it('Run on RunPod saves a pod’s file and runs it where it lies', async () => {
    await put('train.py', 'raise SystemExit(9)\n');
    const document = await vscode.workspace.openTextDocument(at('train.py'));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, 1, 0), 'import os\nopen("ran.txt", "w").write(os.getcwd() + "\\n")\nraise SystemExit(4)\n');
    await vscode.workspace.applyEdit(edit);
    assert.equal(document.isDirty, true);
    assert.deepEqual(await command('runpod.runOnRunPod', at('train.py')), { exitCode: 4 });
    assert.equal(document.isDirty, false);
    assert.equal(await read(at('ran.txt')), `${root.path}\n`);
    assert.deepEqual(await command('runpod.runOnRunPod', at('train.py').toString(), { command: 'exit 6' }), { exitCode: 6 });
  });

  it('Run on RunPod says what it does not know how to run', async () => {
    await put('notes.xyz', 'nothing\n');
    await assert.rejects(Promise.resolve(command('runpod.runOnRunPod', at('notes.xyz').toString())), /\.xyz/);
    await assert.rejects(Promise.resolve(command('runpod.runOnRunPod', at('missing.py').toString())), /not there/);
  });

  it('Run on RunPod sends a local file’s folder, then runs it there', async () => {
    const local = path.join(await mkdtemp(path.join(os.tmpdir(), 'suite-local-')), `suite it's local`);
    try {
      await mkdir(path.join(local, 'src'), { recursive: true });
      await writeFile(path.join(local, 'src', 'main.py'), 'import helper\nprint(helper.word)\nraise SystemExit(5)\n');
      await writeFile(path.join(local, 'src', 'helper.py'), 'word = "hello"\nopen("said.txt", "w").write(word + "\\n")\n');
      await writeFile(path.join(local, '.env'), 'TOKEN=secret\n');
      const file = vscode.Uri.file(path.join(local, 'src', 'main.py')).toString();
      assert.deepEqual(await command('runpod.runOnRunPod', file, { pod: 'llama-ft', confirmed: true }), { exitCode: 5 });
      const there = root.with({ path: `${mount}/src` });
      assert.equal(await read(vscode.Uri.joinPath(there, 'said.txt')), 'hello\n');
      // Changed here, and the result of the first run stays there.
      await writeFile(path.join(local, 'src', 'helper.py'), 'word = "again"\nopen("said again.txt", "w").write(word + "\\n")\n');
      assert.deepEqual(await command('runpod.runOnRunPod', file, { pod: podId, confirmed: true }), { exitCode: 5 });
      assert.equal(await read(vscode.Uri.joinPath(there, 'said again.txt')), 'again\n');
      assert.equal(await read(vscode.Uri.joinPath(there, 'said.txt')), 'hello\n');
      // Changed there meanwhile: kept when told so.
      await fs.writeFile(vscode.Uri.joinPath(there, 'helper.py'), Buffer.from('word = "the pod’s own"\nopen("said.txt", "w").write(word + "\\n")\n'));
      await writeFile(path.join(local, 'src', 'helper.py'), 'word = "mine"\n');
      await command('runpod.runOnRunPod', file, { pod: podId, confirmed: true, conflicts: 'keep' });
      assert.equal(await read(vscode.Uri.joinPath(there, 'said.txt')), 'the pod’s own\n');
      await command('runpod.runOnRunPod', file, { pod: podId, confirmed: true, conflicts: 'overwrite' });
      assert.equal(await read(vscode.Uri.joinPath(there, 'helper.py')), 'word = "mine"\n');
      await fs.delete(there, { recursive: true });
    } finally {
      await rm(path.dirname(local), { recursive: true });
    }
  });

  it('a task of tasks.json runs and tells its exit code', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const file = vscode.Uri.joinPath(folder.uri, '.vscode', 'tasks.json');
    await fs.writeFile(file, Buffer.from(JSON.stringify({ version: '2.0.0', tasks: [{ type: 'runpod', label: 'suite task', command: 'echo "$GREETING" > said.txt; pwd >> said.txt; exit 7', pod: 'llama-ft', cwd: 'suite-terminal', env: { GREETING: `it's "me"` } }] })));
    let task: vscode.Task | undefined;
    await until('the task', async () => {
      task = (await vscode.tasks.fetchTasks({ type: 'runpod' })).find(({ name }) => name === 'suite task');
      return task !== undefined;
    });
    assert.ok(task);
    const code = new Promise<number | undefined>((resolve) => {
      const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
        if (execution.task.name !== 'suite task') return;
        listener.dispose();
        resolve(exitCode);
      });
    });
    await vscode.tasks.executeTask(task);
    assert.equal(await code, 7);
    assert.equal(await read(at('said.txt')), `it's "me"\n${root.path}\n`);
    await fs.delete(file);
  });

  it('a task waits for the background task that it depends on, until that is ready', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const file = vscode.Uri.joinPath(folder.uri, '.vscode', 'tasks.json');
    const server = { type: 'runpod', label: 'suite server', pod: 'llama-ft', cwd: 'suite-terminal', command: `echo starting; while [ ! -f up ]; do sleep 0.1; done; printf '\\033[32mlistening\\033[0m on 80\\n'; sleep 300`, isBackground: true, readyWhen: 'listening on \\d+', problemMatcher: '$runpod-ready' };
    const client = { type: 'runpod', label: 'suite client', pod: 'llama-ft', cwd: 'suite-terminal', command: 'ls up >client.txt; exit 3', dependsOn: ['suite server'], problemMatcher: [] };
    await fs.writeFile(file, Buffer.from(JSON.stringify({ version: '2.0.0', tasks: [server, client] })));
    try {
      let task: vscode.Task | undefined;
      await until('the task', async () => (task = (await vscode.tasks.fetchTasks({ type: 'runpod' })).find(({ name }) => name === 'suite client')) !== undefined);
      assert.ok(task);
      const code = new Promise<number | undefined>((resolve) => {
        const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
          if (execution.task.name !== 'suite client') return;
          listener.dispose();
          resolve(exitCode);
        });
      });
      void vscode.tasks.executeTask(task);
      await until('the server', async () => (await command<readonly { state: string; meta: { title: string } }[]>('runpod.listRuns', podId)).some(({ state, meta }) => state === 'running' && meta.title === 'suite server'));
      assert.equal(await exists(fs.stat(at('client.txt'))), false);
      await put('up', '');
      assert.equal(await code, 3);
      assert.equal(await read(at('client.txt')), 'up\n');
    } finally {
      await fs.delete(file);
      for (const execution of vscode.tasks.taskExecutions) if (execution.task.name === 'suite server') execution.terminate();
      await until('its end', () => !vscode.tasks.taskExecutions.some(({ task }) => task.name === 'suite server'));
    }
  });

  it('tasks.json is completed: the fields, and the pods there are', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const file = vscode.Uri.joinPath(folder.uri, '.vscode', 'tasks.json');
    const text = '{ "version": "2.0.0", "tasks": [{ "type": "runpod", "command": "true", "pod": "", "": 1 }] }';
    await fs.writeFile(file, Buffer.from(text));
    try {
      const document = await vscode.workspace.openTextDocument(file);
      const offered = async (offset: number): Promise<string[]> => {
        const { items } = await vscode.commands.executeCommand<vscode.CompletionList>('vscode.executeCompletionItemProvider', file, document.positionAt(offset));
        return items.map(({ label }) => (typeof label === 'string' ? label : label.label));
      };
      await until('the pods', async () => (await offered(text.indexOf('"pod": "') + 8)).includes('"llama-ft"'));
      await until('the fields', async () => {
        const fields = await offered(text.indexOf('"": 1') + 1);
        return ['cwd', 'env', 'readyWhen'].every((name) => fields.some((field) => field.includes(name)));
      });
    } finally {
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await fs.delete(file);
    }
  });

  it('a task that is ended takes its program along', async () => {
    const running = command<{ exitCode: number }>('runpod.runCommand', podId, `echo $$ > suite-terminal/pid.txt; trap 'echo bye > suite-terminal/bye.txt; exit 21' INT; while :; do sleep 0.1; done`);
    await comes(at('pid.txt'));
    const execution = vscode.tasks.taskExecutions.find(({ task }) => task.definition.type === 'runpod');
    assert.ok(execution);
    execution.terminate();
    assert.deepEqual(await running, { exitCode: 21 });
    assert.equal(await comes(at('bye.txt')), 'bye\n');
  });

  it('a run on a pod that is stopped says so and fails', async () => {
    assert.deepEqual(await command('runpod.runCommand', 'old-exp', 'true'), { exitCode: 1 });
  });

  it('the file in the editor is offered as a task, without a question to the network', async () => {
    await put('offered.py', 'print(1)\n');
    await vscode.window.showTextDocument(at('offered.py'));
    await until('the task', async () => (await vscode.tasks.fetchTasks({ type: 'runpod' })).some(({ name }) => name === 'Run offered.py'));
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('a terminal is a login shell in the mount path with the pod’s own environment', async () => {
    const terminal = await command<vscode.Terminal>('runpod.openTerminal', podId);
    assert.equal(terminal.name, 'llama-ft');
    terminal.sendText('echo "$PWD|$RUNPOD_POD_ID|$TERM|$-" > suite-terminal/shell.txt; stty size >> suite-terminal/shell.txt');
    const [line, size] = (await comes(at('shell.txt'))).split('\n');
    assert.match(line ?? '', new RegExp(`^${mount}\\|${podId}\\|xterm-256color\\|\\w*i`));
    assert.match(size ?? '', /^[1-9]\d* [1-9]\d*$/);
    terminal.sendText('exit 5');
    await until('the terminal’s end', () => terminal.exitStatus !== undefined);
    assert.equal(terminal.exitStatus?.code, 5);
  });

  it('a terminal opens in the folder it is asked for', async () => {
    const terminal = await command<vscode.Terminal>('runpod.openTerminal', root);
    terminal.sendText('pwd > where.txt');
    assert.equal(await comes(at('where.txt')), `${root.path}\n`);
  });

  it('a paste of 100 KB arrives whole', async () => {
    const terminal = await command<vscode.Terminal>('runpod.openTerminal', root);
    const paste = Array.from({ length: 1400 }, (_, i) => `line ${i}: ÄÖ東🚀 ${'x'.repeat(60)}`).join('\n') + '\n';
    assert.ok(Buffer.byteLength(paste) > 100_000);
    terminal.sendText(`stty -echo; touch ready.txt; head -n 1400 > pasted.txt; echo done > pasted.done`);
    await until('the program', () => exists(fs.stat(at('ready.txt'))));
    terminal.sendText(paste, false);
    await comes(at('pasted.done'));
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    assert.equal(hash(await read(at('pasted.txt'))), hash(paste));
  });

  it('a terminal has a new shell after its pod was stopped and started', async () => {
    const terminal = await command<vscode.Terminal>('runpod.openTerminal', podId);
    terminal.sendText('echo $$ > suite-terminal/before.txt');
    const before = await comes(at('before.txt'));
    await command('runpod.stopPod', podId, { confirmed: true });
    await command('runpod.startPod', podId);
    await until('a shell that answers', async () => {
      terminal.sendText('echo "new $$" > suite-terminal/after.txt');
      await new Promise((resolve) => setTimeout(resolve, 500));
      return (await read(at('after.txt')).catch(() => '')).startsWith('new ');
    });
    assert.equal(terminal.exitStatus, undefined);
    assert.notEqual(await read(at('after.txt')), before);
  });
});
