import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { command, podNamed, simulator, until } from './account';

const { fs } = vscode.workspace;

describe('what others change on a pod', () => {
  let podId: string;
  let root: vscode.Uri;
  const at = (...names: string[]): vscode.Uri => vscode.Uri.joinPath(root, ...names);

  /** Something on the pod itself, by no hand of ours. */
  async function onPod(script: string): Promise<void> {
    const response = await fetch(`${simulator.address.controlUrl}/pods/${podId}/exec`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ argv: ['sh', '-c', script] }) });
    assert.equal(((await response.json()) as { code: number }).code, 0);
  }

  before(async () => {
    const pod = await podNamed('llama-ft');
    if (pod.status === 'EXITED') await command('runpod.startPod', pod.id);
    podId = pod.id;
    const mount = pod.mounts.persistent?.path ?? pod.mounts.network?.[0]?.path ?? '/workspace';
    root = vscode.Uri.from({ scheme: 'runpod', authority: podId, path: `${mount}/suite-watch` });
    await until('the pod’s files', () => Promise.resolve(fs.createDirectory(root)).then(() => true, () => false));
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await fs.delete(root, { recursive: true });
  });

  it('shows in the file that is open, and a log stays at its end', async () => {
    await onPod(`i=0; while [ $i -lt 200 ]; do echo "step $i"; i=$((i+1)); done > ${root.path}/train.log`);
    const document = await vscode.workspace.openTextDocument(at('train.log'));
    const editor = await vscode.window.showTextDocument(document, { preview: false });
    const lines = document.lineCount;
    const end = new vscode.Position(lines - 1, 0);
    editor.selection = new vscode.Selection(end, end);
    await until('the cursor', () => editor.selection.active.line === lines - 1);
    for (let i = 0; i < 3; i++) {
      await onPod(`echo "more ${i}" >> ${root.path}/train.log`);
      await until('the new line', () => document.getText().includes(`more ${i}\n`));
      await until('the cursor at the end', () => editor.selection.active.line === document.lineCount - 1);
      await until('the end in sight', () => editor.visibleRanges.some((range) => range.end.line >= document.lineCount - 1));
    }
    assert.equal(document.isDirty, false);
    // Who reads elsewhere is left in peace.
    editor.selection = new vscode.Selection(0, 0, 0, 0);
    await until('the cursor', () => editor.selection.active.line === 0);
    await onPod(`echo "the last" >> ${root.path}/train.log`);
    await until('the new line', () => document.getText().includes('the last\n'));
    assert.equal(editor.selection.active.line, 0);
  });

  it('does not overwrite what is being edited', async () => {
    await onPod(`echo one > ${root.path}/edited.txt`);
    const document = await vscode.workspace.openTextDocument(at('edited.txt'));
    await vscode.window.showTextDocument(document, { preview: false });
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), 'mine ');
    await vscode.workspace.applyEdit(edit);
    await onPod(`echo two three > ${root.path}/edited.txt`);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assert.equal(document.getText(), 'mine one\n');
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await until('theirs', () => document.getText() === 'two three\n');
  });

  describe('saving', () => {
    const file = (): string => `${root.path}/saved.txt`;
    let document: vscode.TextDocument;
    const type = async (text: string): Promise<void> => {
      const edit = new vscode.WorkspaceEdit();
      edit.insert(document.uri, new vscode.Position(0, 0), text);
      await vscode.workspace.applyEdit(edit);
    };
    const onPodNow = async (): Promise<string> => Buffer.from(await fs.readFile(at('saved.txt'))).toString();

    beforeEach(async () => {
      await onPod(`echo one > ${file()}`);
      document = await vscode.workspace.openTextDocument(at('saved.txt'));
      await vscode.window.showTextDocument(document, { preview: false });
      await until('what is there', () => document.getText() === 'one\n' && !document.isDirty);
      await type('my ');
    });
    afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

    it('takes neither its own saves nor a touch for another’s change', async () => {
      assert.equal(await document.save(), true);
      await onPod(`sleep 1; touch ${file()}`);
      await type('now ');
      assert.equal(await document.save(), true);
      assert.equal(await onPodNow(), 'now my one\n');
    });

    for (const [what, change] of [
      ['of the same size', () => `sleep 1; printf 'two\\n' > ${file()}`],
      ['within the same second', () => `t=$(stat -c %Y ${file()}); printf 'two three\\n' > ${file()}; touch -d @$t ${file()}`],
      ['with an older time', () => `printf 'two\\n' > ${file()}; touch -d @1600000000 ${file()}`],
    ] as const)
      it(`does not write over another’s change ${what}`, async () => {
        await onPod(change());
        assert.equal(await document.save(), false);
        assert.equal(document.isDirty, true);
        assert.match(await onPodNow(), /^two/);
        await vscode.commands.executeCommand('workbench.action.files.revert');
        await until('theirs', () => document.getText().startsWith('two'));
        await type('mine and ');
        assert.equal(await document.save(), true);
        assert.match(await onPodNow(), /^mine and two/);
      });
  });
});
