import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { command, podNamed, until } from './account';

interface Run {
  readonly id: string;
  readonly state: string;
  readonly exitCode?: number;
  readonly meta: { readonly title: string; readonly command: string };
}

describe('runs that outlive their terminal', () => {
  let podId: string;
  let root: vscode.Uri;
  const { fs } = vscode.workspace;
  const at = (name: string): vscode.Uri => vscode.Uri.joinPath(root, name);
  const put = (name: string, content: string): Thenable<void> => fs.writeFile(at(name), Buffer.from(content));
  const runs = async (): Promise<readonly Run[]> => (await command<readonly Run[]>('runpod.listRuns', podId)) ?? [];
  const newest = async (): Promise<Run> => {
    const [run] = await runs();
    assert.ok(run);
    return run;
  };
  const readable = (name: string): Promise<string> => Promise.resolve(fs.readFile(at(name))).then((bytes) => Buffer.from(bytes).toString(), () => '');

  before(async () => {
    const pod = await podNamed('llama-ft');
    podId = pod.id;
    if (pod.status === 'EXITED') await command('runpod.startPod', pod.id);
    root = vscode.Uri.from({ scheme: 'runpod', authority: pod.id, path: `${pod.mounts.persistent?.path ?? '/workspace'}/suite-runs` });
    await until('the pod', () => Promise.resolve(fs.createDirectory(root)).then(() => true, () => false));
  });
  after(() => fs.delete(root, { recursive: true }));
  afterEach(async () => {
    for (const { id } of (await runs()).filter(({ state }) => state === 'running')) await command('runpod.stopRun', podId, id);
    for (const terminal of vscode.window.terminals) terminal.dispose();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('are listed with how they ended, and run again', async () => {
    assert.deepEqual(await command('runpod.runCommand', podId, 'echo one >> suite-runs/times; exit 4'), { exitCode: 4 });
    const run = await newest();
    assert.deepEqual([run.state, run.exitCode, run.meta.command], ['exited', 4, 'echo one >> suite-runs/times; exit 4']);
    assert.deepEqual(await command('runpod.runAgain', podId, run.id), { exitCode: 4 });
    assert.equal(await readable('times'), 'one\none\n');
  });

  it('are stopped by name, and whoever waits for them is told', async () => {
    const running = command<{ exitCode: number }>('runpod.runCommand', podId, 'echo yes >suite-runs/started; sleep 60');
    await until('the run', async () => (await readable('started')) === 'yes\n' && (await runs()).some(({ state }) => state === 'running'));
    const { id } = await newest();
    const stopped = await command<Run>('runpod.stopRun', podId, id);
    assert.deepEqual([stopped.state, stopped.exitCode], ['exited', 143]);
    assert.deepEqual(await running, { exitCode: 143 });
  });

  it('are shown again, and compared as one would read them', async () => {
    await command('runpod.runCommand', podId, `printf '\\033[32mgreen\\033[0m 1%%\\r100%%\\n'`);
    const first = await newest();
    await command('runpod.runCommand', podId, 'echo other');
    const second = await newest();
    const terminal = await command<vscode.Terminal>('runpod.attachRun', podId, first.id);
    await until('its end', () => {
      // Any key closes it then; before, what is typed goes to a run that has ended.
      terminal.sendText('q', false);
      return terminal.exitStatus !== undefined;
    });
    const uri = await command<vscode.Uri>('runpod.showRunOutput', podId, first.id);
    assert.equal((await vscode.workspace.openTextDocument(uri)).getText(), '100%n 1%\n');
    await command('runpod.compareRuns', podId, first.id, second.id);
    await until('the comparison', () => vscode.window.tabGroups.activeTabGroup.activeTab?.input instanceof vscode.TabInputTextDiff);
  });

  it('tell what is wrong on the file where it is, until they run again', async () => {
    await put('broken.py', 'def main():\n    return missing\n\nmain()\n');
    assert.deepEqual(await command('runpod.runOnRunPod', at('broken.py').toString()), { exitCode: 1 });
    await until('the problem', () => vscode.languages.getDiagnostics(at('broken.py')).length > 0);
    const [problem] = vscode.languages.getDiagnostics(at('broken.py'));
    assert.deepEqual([problem?.message, problem?.range.start.line], ["NameError: name 'missing' is not defined", 1]);
    await put('broken.py', 'print("mended")\n');
    assert.deepEqual(await command('runpod.runOnRunPod', at('broken.py').toString()), { exitCode: 0 });
    assert.equal(vscode.languages.getDiagnostics(at('broken.py')).length, 0);
  });

  it('take arguments, and folders', async () => {
    await put('args.py', 'import sys\nopen("args.txt", "w").write("|".join(sys.argv[1:]) + "\\n")\n');
    assert.deepEqual(await command('runpod.runWithArguments', at('args.py').toString(), { args: `--name "a b" 'c'` }), { exitCode: 0 });
    assert.equal(await readable('args.txt'), '--name|a b|c\n');
    assert.deepEqual(await command('runpod.runOnRunPod', root.toString(), { command: 'pwd > where.txt; exit 2' }), { exitCode: 2 });
    assert.equal(await readable('where.txt'), `${root.path}\n`);
  });

  it('run on several pods at once, each with its number', async () => {
    const outcomes = await command<readonly { pod: string; exitCode: number; lastLine?: string }[]>('runpod.runOnPods', '', { pods: ['llama-ft', { pod: 'prep-cpu', env: { LR: 0.1 } }, 'llama-ft'], command: 'echo "$RUNPOD_RUN_INDEX of $RUNPOD_RUN_COUNT $LR"; exit $RUNPOD_RUN_INDEX' });
    assert.deepEqual(outcomes.map(({ pod, exitCode, lastLine }) => [pod, exitCode, lastLine]), [['llama-ft', 0, '0 of 3'], ['prep-cpu', 1, '1 of 3 0.1'], ['llama-ft', 2, '2 of 3']]);
  });

  it('run again with the arguments and variables they had, and with what the folder holds now', async () => {
    const local = path.join(await mkdtemp(path.join(os.tmpdir(), 'suite-runs-')), 'suite-again');
    const there = root.with({ path: path.posix.join(path.posix.dirname(root.path), 'suite-again') });
    const main = (word: string): string => `import os, sys\nopen("said.txt", "a").write("${word} " + "|".join(sys.argv[1:]) + " " + os.environ["LR"] + "\\n")\n`;
    const said = async (): Promise<string> => Buffer.from(await fs.readFile(vscode.Uri.joinPath(there, 'said.txt'))).toString();
    try {
      await mkdir(path.join(local, 'sub'), { recursive: true });
      await writeFile(path.join(local, 'main.py'), main('first'));
      await command('runpod.runOnPods', vscode.Uri.file(path.join(local, 'main.py')).toString(), { pods: [{ pod: 'llama-ft', env: { LR: 0.1 }, args: `--name "a b"` }], confirmed: true });
      assert.equal(await said(), 'first --name|a b 0.1\n');
      await writeFile(path.join(local, 'main.py'), main('second'));
      assert.deepEqual(await command('runpod.runAgain', podId, (await newest()).id), { exitCode: 0 });
      assert.equal(await said(), 'first --name|a b 0.1\nsecond --name|a b 0.1\n');
    } finally {
      await rm(path.dirname(local), { recursive: true });
      await fs.delete(there, { recursive: true });
    }
  });

  it('a local file’s problems are on the local file', async () => {
    const local = path.join(await mkdtemp(path.join(os.tmpdir(), 'suite-runs-')), 'suite-problems');
    try {
      await mkdir(local, { recursive: true });
      await writeFile(path.join(local, 'main.py'), 'import helper\nhelper.fail()\n');
      await writeFile(path.join(local, 'helper.py'), 'def fail():\n    raise ValueError("no")\n');
      const file = vscode.Uri.file(path.join(local, 'main.py'));
      assert.deepEqual(await command('runpod.runOnRunPod', file.toString(), { pod: 'llama-ft', confirmed: true }), { exitCode: 1 });
      const helper = vscode.Uri.file(path.join(local, 'helper.py'));
      await until('the problem', () => vscode.languages.getDiagnostics(helper).some(({ message }) => message === 'ValueError: no'));
    } finally {
      await rm(path.dirname(local), { recursive: true });
      await fs.delete(root.with({ path: path.posix.join(path.posix.dirname(root.path), 'suite-problems') }), { recursive: true });
    }
  });

  it('bring back what the setting names, ignored by git or not', async () => {
    const local = path.join(await mkdtemp(path.join(os.tmpdir(), 'suite-runs-')), 'suite-results');
    const configuration = vscode.workspace.getConfiguration('runpod');
    try {
      await configuration.update('run.results', ['outputs/', '*.csv'], vscode.ConfigurationTarget.Global);
      await mkdir(local, { recursive: true });
      await writeFile(path.join(local, '.gitignore'), 'outputs/\n');
      await writeFile(path.join(local, 'main.py'), 'import os\nos.makedirs("outputs/deep", exist_ok=True)\nopen("outputs/deep/best.pt", "w").write("weights\\n")\nopen("loss.csv", "w").write("0.5\\n")\nopen("other.log", "w").write("x\\n")\n');
      assert.deepEqual(await command('runpod.runOnRunPod', vscode.Uri.file(path.join(local, 'main.py')).toString(), { pod: 'llama-ft', confirmed: true }), { exitCode: 0 });
      await until('the results', () => existsSync(path.join(local, 'outputs/deep/best.pt')) && existsSync(path.join(local, 'loss.csv')));
      assert.equal(existsSync(path.join(local, 'other.log')), false);
    } finally {
      await configuration.update('run.results', undefined, vscode.ConfigurationTarget.Global);
      await rm(path.dirname(local), { recursive: true });
      await fs.delete(root.with({ path: path.posix.join(path.posix.dirname(root.path), 'suite-results') }), { recursive: true });
    }
  });

  it('bring back what the folder’s profile names, while they run as well', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const there = root.with({ path: path.posix.join(path.posix.dirname(root.path), path.basename(folder.uri.fsPath)) });
    const local = (name: string): string => path.join(folder.uri.fsPath, name);
    try {
      await writeFile(local('runpod.json'), '{ "gpu": "L4", "results": ["suite-out/", "*.csv"], "resultsWhileRunning": true }');
      await writeFile(local('suite-main.py'), 'import os, time\nos.makedirs("suite-out", exist_ok=True)\nopen("suite-out/one", "w").write("1\\n")\nwhile not os.path.exists("go"): time.sleep(0.1)\nopen("suite-out/two", "w").write("2\\n")\nopen("loss.csv", "w").write("0.5\\n")\n');
      const running = command<{ exitCode: number }>('runpod.runOnRunPod', vscode.Uri.file(local('suite-main.py')).toString(), { pod: 'llama-ft', confirmed: true });
      await until('the first result', () => existsSync(local('suite-out/one')));
      assert.equal(existsSync(local('suite-out/two')), false);
      await fs.writeFile(vscode.Uri.joinPath(there, 'go'), Buffer.of());
      assert.deepEqual(await running, { exitCode: 0 });
      await until('all results', () => existsSync(local('suite-out/two')) && existsSync(local('loss.csv')));
    } finally {
      for (const name of ['runpod.json', 'suite-main.py', 'suite-out', 'loss.csv']) await rm(local(name), { recursive: true, force: true });
      await fs.delete(there, { recursive: true });
    }
  });

  describe('of notebooks', () => {
    const cells = JSON.stringify({ cells: [{ cell_type: 'code', id: 'a', execution_count: null, metadata: {}, outputs: [], source: ['print(1)'] }], metadata: {}, nbformat: 4, nbformat_minor: 5 });
    let local: string;
    let there: vscode.Uri;
    const file = (): vscode.Uri => vscode.Uri.file(path.join(local, 'a.ipynb'));
    const outputsOf = async (uri: vscode.Uri): Promise<number> => (await vscode.workspace.openNotebookDocument(uri)).cellAt(0).outputs.length;

    /** A Python beside the notebook whose nbconvert writes an output into every cell, once nothing holds it. */
    async function standIn(): Promise<void> {
      const fake = '.venv/fake/nbconvert';
      await fs.writeFile(vscode.Uri.joinPath(there, '.venv/bin/python'), Buffer.from('#!/bin/sh\nPYTHONPATH=${0%/bin/python}/fake exec python3 "$@"\n'));
      await fs.writeFile(vscode.Uri.joinPath(there, fake, '__init__.py'), Buffer.of());
      await fs.writeFile(
        vscode.Uri.joinPath(there, fake, '__main__.py'),
        Buffer.from('import json, os, sys, time\nf = sys.argv[-1]\nopen("began", "w").close()\nwhile os.path.exists("hold"): time.sleep(0.1)\nnb = json.load(open(f))\nfor c in nb["cells"]: c["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["executed\\n"]}]\njson.dump(nb, open(f, "w"))\n'),
      );
      assert.deepEqual(await command('runpod.runCommand', podId, `chmod +x suite-notebook/.venv/bin/python`), { exitCode: 0 });
    }

    before(async () => {
      local = path.join(await mkdtemp(path.join(os.tmpdir(), 'suite-runs-')), 'suite-notebook');
      there = root.with({ path: path.posix.join(path.posix.dirname(root.path), 'suite-notebook') });
      await mkdir(local);
      await writeFile(file().fsPath, cells);
      await fs.createDirectory(there);
    });
    after(async () => {
      await rm(path.dirname(local), { recursive: true });
      await fs.delete(there, { recursive: true });
    });

    it('say what is missing where nothing executes them', async () => {
      await assert.rejects(Promise.resolve(command('runpod.runOnRunPod', file().toString(), { pod: 'llama-ft', confirmed: true })), /nothing that executes notebooks: neither nbconvert nor papermill/);
      await standIn();
    });

    it('write their outputs into the local file, and the notebook that is open shows them', async () => {
      await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(file()));
      assert.equal(await outputsOf(file()), 0);
      assert.deepEqual(await command('runpod.runOnRunPod', file().toString(), { pod: 'llama-ft', confirmed: true }), { exitCode: 0 });
      await until('the outputs', async () => (await readFile(file().fsPath, 'utf8')).includes('executed'));
      await until('the notebook', async () => (await outputsOf(file())) === 1);
    });

    it('never write over what is typed meanwhile: the executed one lies beside it', async () => {
      const typed = (): vscode.Uri => vscode.Uri.file(path.join(local, 'b.ipynb'));
      await writeFile(typed().fsPath, cells);
      const notebook = await vscode.workspace.openNotebookDocument(typed());
      await vscode.window.showNotebookDocument(notebook);
      await fs.writeFile(vscode.Uri.joinPath(there, 'hold'), Buffer.of());
      await fs.delete(vscode.Uri.joinPath(there, 'began'));
      const running = command<{ exitCode: number }>('runpod.runOnRunPod', typed().toString(), { pod: 'llama-ft', confirmed: true });
      await until('its beginning', () => Promise.resolve(fs.stat(vscode.Uri.joinPath(there, 'began'))).then(() => true, () => false));
      const edit = new vscode.WorkspaceEdit();
      edit.set(notebook.uri, [vscode.NotebookEdit.replaceCells(new vscode.NotebookRange(0, 1), [new vscode.NotebookCellData(vscode.NotebookCellKind.Code, 'print("typed")', 'python')])]);
      await vscode.workspace.applyEdit(edit);
      assert.equal(notebook.isDirty, true);
      await fs.delete(vscode.Uri.joinPath(there, 'hold'));
      assert.deepEqual(await running, { exitCode: 0 });
      const beside = async (): Promise<string | undefined> => (await readdir(local)).find((name) => name.startsWith('b') && name !== 'b.ipynb' && name.endsWith('.ipynb'));
      await until('the executed one', async () => (await beside()) !== undefined);
      assert.match(await readFile(path.join(local, (await beside()) ?? ''), 'utf8'), /executed/);
      assert.match(await readFile(typed().fsPath, 'utf8'), /typed/);
      assert.equal(notebook.cellAt(0).document.getText(), 'print("typed")');
    });

    it('of a pod are executed where they lie, and shown anew', async () => {
      const uri = vscode.Uri.joinPath(there, 'there.ipynb');
      await fs.writeFile(uri, Buffer.from(cells));
      await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(uri));
      assert.deepEqual(await command('runpod.runOnRunPod', uri.toString()), { exitCode: 0 });
      await until('the notebook', async () => (await outputsOf(uri)) === 1);
    });

    it('are meant as a whole while one of their cells is edited', async () => {
      const uri = vscode.Uri.joinPath(there, 'edited.ipynb');
      await fs.writeFile(uri, Buffer.from(cells));
      await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(uri));
      await vscode.commands.executeCommand('notebook.cell.edit');
      await until('the cell', () => vscode.window.activeTextEditor?.document.uri.scheme === 'vscode-notebook-cell');
      assert.deepEqual(await command('runpod.runOnRunPod'), { exitCode: 0 });
      await until('the notebook', async () => (await outputsOf(uri)) === 1);
      const [cell] = (await vscode.workspace.openNotebookDocument(uri)).getCells();
      assert.deepEqual(await command('runpod.runOnRunPod', cell?.document.uri), { exitCode: 0 });
    });
  });

  it('a selection goes to Python’s prompt on the pod', async () => {
    await command('runpod.runSelection', podId, 'for i in range(2):\n    x = i\n\n    y = x\nopen("/tmp/said", "w").write(f"{y}\\n")\nopen("suite-runs/said.txt", "w").write(f"{y}\\n")');
    await until('what it wrote', async () => (await readable('said.txt')) === '1\n');
  });
});
