import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { command, podNamed, until } from './account';

interface Outcome {
  readonly matches: number;
  readonly files: number;
  readonly limited: boolean;
  readonly replaced?: number;
}

const { fs } = vscode.workspace;

describe('search on a pod', () => {
  let podId: string;
  let root: vscode.Uri;
  const at = (...names: string[]): vscode.Uri => vscode.Uri.joinPath(root, ...names);
  const put = (name: string, content: string): Thenable<void> => fs.writeFile(at(name), Buffer.from(content));
  const read = async (name: string): Promise<string> => Buffer.from(await fs.readFile(at(name))).toString();
  const search = (query: string, more: Record<string, unknown> = {}): Thenable<Outcome> => command<Outcome>('runpod.searchOnPod', root, { query, ...more });

  before(async () => {
    const pod = await podNamed('llama-ft');
    if (pod.status === 'EXITED') await command('runpod.startPod', pod.id);
    podId = pod.id;
    const mount = pod.mounts.persistent?.path ?? pod.mounts.network?.[0]?.path ?? '/workspace';
    root = vscode.Uri.from({ scheme: 'runpod', authority: podId, path: `${mount}/suite-search` });
    await until('the pod’s files', () => Promise.resolve(fs.createDirectory(root)).then(() => true, () => false));
    await put('a.py', 'lr = 1\nprint(lr)\n');
    await put('src/b.py', 'lr: float\n');
    await put('notes.md', 'the lr\n');
    await put('.gitignore', '*.log\n');
    await put('x.log', 'lr\n');
    await put('.venv/lib.py', 'lr\n');
  });
  after(() => fs.delete(root, { recursive: true }));

  it('counts what matches, by the globs, the ignore files and the editor’s own excludes', async () => {
    assert.deepEqual(await search('lr'), { matches: 4, files: 3, limited: false });
    assert.deepEqual(await search('LR', { include: '*.py', exclude: ['src'] }), { matches: 2, files: 1, limited: false });
    assert.deepEqual(await search('LR', { caseSensitive: true }), { matches: 0, files: 0, limited: false });
    assert.equal((await search('lr', { ignored: true })).matches, 6);
    assert.ok((await search('lr', { ignored: true, include: ['.venv'] })).files === 1);
    await vscode.workspace.getConfiguration('search').update('exclude', { '**/*.md': true }, vscode.ConfigurationTarget.Global);
    try {
      assert.equal((await search('lr')).files, 2);
    } finally {
      await vscode.workspace.getConfiguration('search').update('exclude', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('searches a pod by its name, in its mount path', async () => {
    assert.ok((await command<Outcome>('runpod.searchOnPod', 'llama-ft', { query: 'the lr', caseSensitive: true })).files >= 1);
    await assert.rejects(Promise.resolve(command('runpod.searchOnPod', 'llama-ft', { query: '(', regex: true })), /cannot be searched for/);
    await assert.rejects(Promise.resolve(command('runpod.searchOnPod', 'old-exp', { query: 'x' })), /stopped/);
  });

  it('replaces in files and saves them, and leaves alone what has changed meanwhile', async () => {
    await put('edit.py', 'alpha = 1\nbeta = alpha\n');
    await put('src/edit.py', 'alpha()\n');
    const done = await search('(al)pha', { regex: true, replace: '$1ephta', include: 'edit.py' });
    assert.deepEqual([done.matches, done.files, done.replaced], [3, 2, 3]);
    assert.equal(await read('edit.py'), 'alephta = 1\nbeta = alephta\n');
    assert.equal(await read('src/edit.py'), 'alephta()\n');
    await search('alephta', { include: 'edit.py' });
    await put('edit.py', 'gamma\nbeta = alephta\n');
    await until('the editor to see it', async () => (await vscode.workspace.openTextDocument(at('edit.py'))).lineAt(0).text === 'gamma');
    assert.deepEqual(await command('runpod.replaceOnPod', undefined, { replacement: 'x' }), { replaced: 2, files: 2, skipped: 1 });
    assert.equal(await read('edit.py'), 'gamma\nbeta = x\n');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('does not touch a file whose text it cannot read to the last byte', async () => {
    const latin = Buffer.concat([Buffer.from('# caf'), Buffer.from([0xe9]), Buffer.from('\r\nomega = 1\r\n')]);
    const marked = Buffer.from('\ufeffomega = 2\r\nlast');
    await fs.writeFile(at('latin.py'), latin);
    await fs.writeFile(at('marked.py'), marked);
    await search('omega', { include: '*.py' });
    assert.deepEqual(await command('runpod.replaceOnPod', undefined, { replacement: 'psi' }), { replaced: 1, files: 1, skipped: 1 });
    assert.deepEqual(Buffer.from(await fs.readFile(at('latin.py'))), latin);
    assert.deepEqual(Buffer.from(await fs.readFile(at('marked.py'))), Buffer.from('\ufeffpsi = 2\r\nlast'));
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
