import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { command, podNamed, until } from './account';

const { fs } = vscode.workspace;
const text = (content: Uint8Array): string => Buffer.from(content).toString();
const code = (expected: string) => (error: unknown): boolean => {
  assert.ok(error instanceof vscode.FileSystemError, String(error));
  assert.equal(error.code, expected, error.message);
  return true;
};
const rejects = (work: Thenable<unknown>, expected: string): Promise<void> => assert.rejects(Promise.resolve(work), code(expected));

describe('a pod’s files in the editor', () => {
  let root: vscode.Uri;
  const at = (...names: string[]): vscode.Uri => vscode.Uri.joinPath(root, ...names);
  const put = (name: string, content: string): Thenable<void> => fs.writeFile(at(name), Buffer.from(content));

  before(async () => {
    const pod = await podNamed('llama-ft');
    if (pod.status === 'EXITED') await command('runpod.startPod', pod.id);
    const mount = pod.mounts.persistent?.path ?? pod.mounts.network?.[0]?.path ?? '/workspace';
    root = vscode.Uri.from({ scheme: 'runpod', authority: pod.id, path: `${mount}/suite-files` });
    // A pod that has just started takes a moment to answer.
    await until('the pod’s files', async () => {
      try {
        await fs.createDirectory(root);
        return true;
      } catch {
        return false;
      }
    });
  });
  after(() => fs.delete(root, { recursive: true }));

  it('are written, listed, read and deleted', async () => {
    await put("it's train.py", 'print(1)');
    await fs.createDirectory(at('out'));
    assert.deepEqual((await fs.readDirectory(root)).sort(), [["it's train.py", vscode.FileType.File], ['out', vscode.FileType.Directory]]);
    assert.equal(text(await fs.readFile(at("it's train.py"))), 'print(1)');
    const stat = await fs.stat(at("it's train.py"));
    assert.equal(stat.size, 8);
    assert.ok(Math.abs(stat.mtime - Date.now()) < 120_000, 'milliseconds');
    await fs.delete(at("it's train.py"));
    await fs.delete(at('out'), { recursive: true });
    assert.deepEqual(await fs.readDirectory(root), []);
  });

  it('are opened, edited and saved as documents', async () => {
    await put('train.py', 'epochs = 1\n');
    const document = await vscode.workspace.openTextDocument(at('train.py'));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, 1, 0), 'epochs = 2\n');
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.ok(await document.save());
    assert.equal(text(await fs.readFile(at('train.py'))), 'epochs = 2\n');
    assert.equal(document.isDirty, false);
  });

  it('are renamed and copied, and replaced only when asked', async () => {
    await put('a', 'a');
    await put('b', 'b');
    await rejects(fs.rename(at('a'), at('b'), { overwrite: false }), 'FileExists');
    await rejects(fs.copy(at('a'), at('b'), { overwrite: false }), 'FileExists');
    await fs.copy(at('a'), at('c'));
    await fs.rename(at('a'), at('b'), { overwrite: true });
    assert.deepEqual([text(await fs.readFile(at('b'))), text(await fs.readFile(at('c')))], ['a', 'a']);
    await rejects(fs.stat(at('a')), 'FileNotFound');
  });

  it('say in the editor’s codes what is wrong', async () => {
    await put('f', 'f');
    await rejects(fs.readFile(at('none')), 'FileNotFound');
    await rejects(fs.readDirectory(at('f')), 'FileNotADirectory');
    await rejects(fs.readFile(root), 'FileIsADirectory');
    await rejects(fs.writeFile(root, Buffer.from('x')), 'FileIsADirectory');
    await rejects(fs.stat(vscode.Uri.from({ scheme: 'runpod', authority: 'nosuchpod0000', path: '/workspace' })), 'Unavailable');
  });

  it('are read but not written under the read-only scheme', async () => {
    await put('f', 'f');
    const readonly = at('f').with({ scheme: 'runpod-ro' });
    assert.equal(text(await fs.readFile(readonly)), 'f');
    await assert.rejects(Promise.resolve(fs.writeFile(readonly, Buffer.from('x'))));
    assert.equal(fs.isWritableFileSystem('runpod-ro'), false);
    assert.equal(text(await fs.readFile(at('f'))), 'f');
  });

  it('tell the editor what it has changed itself', async () => {
    const seen: string[] = [];
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(root, '**'));
    watcher.onDidCreate((uri) => seen.push(`+${uri.path.slice(root.path.length)}`));
    watcher.onDidDelete((uri) => seen.push(`-${uri.path.slice(root.path.length)}`));
    try {
      await put('watched', '1');
      await until('the creation', () => seen.includes('+/watched'));
      await fs.rename(at('watched'), at('moved'));
      await until('the move', () => seen.includes('-/watched') && seen.includes('+/moved'));
    } finally {
      watcher.dispose();
    }
  });
});
