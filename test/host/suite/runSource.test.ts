import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { machineName, oursBy, sourceFile, sourceFolder } from '../../../src/editor/runSource';
import { Mappings } from '../../../src/editor/sync/mappings';
import type { RunMeta } from '../../../src/runs/detached/meta';

describe('the folder that a run says it was sent from', () => {
  const notes = new Map<string, unknown>();
  const mappings = new Mappings({ keys: () => [...notes.keys()], get: <T>(key: string): T => notes.get(key) as T, update: async (key, value) => void notes.set(key, value) });
  const runFrom = (uri: string, more: Partial<NonNullable<RunMeta['source']>> = {}): { meta: RunMeta } => ({ meta: { title: 'train.py', command: 'python3 train.py', cwd: '/workspace/llama-ft', source: { uri, machine: machineName(), ...more } } });
  const found = (uri: string, more?: Partial<NonNullable<RunMeta['source']>>): string | undefined => sourceFolder(runFrom(uri, more), oursBy(mappings))?.toString();

  it('counts where this window has it open or has sent it, and nowhere else: the record lies on the pod', async () => {
    await mappings.remember(vscode.Uri.parse('file:///projects/llama-ft'), { destination: 'llama-ft', podId: 'pod1' });
    assert.equal(found('file:///projects/llama-ft'), 'file:///projects/llama-ft');
    assert.equal(found('file:///projects/llama-ft/src'), 'file:///projects/llama-ft/src');
    const open = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri;
    if (open) assert.equal(found(open.toString()), open.toString());
    for (const uri of ['file:///', 'file:///home/someone/.ssh', 'file:///projects', 'file:///projects/llama-ft2', 'file:///projects/llama-ft/../../home', 'file:///projects/llama-ft/%2e%2e/%2e%2e/home', 'file://elsewhere/projects/llama-ft', 'runpod://pod1/workspace', 'projects', '']) assert.equal(found(uri), undefined, uri);
    assert.equal(found('file:///projects/llama-ft', { machine: 'another' }), undefined);
  });

  it('holds the file that was run, or there is none', () => {
    const folder = vscode.Uri.parse('file:///projects/llama-ft');
    const file = (name: string): string | undefined => sourceFile(runFrom(folder.toString(), { file: name }), folder)?.path;
    assert.equal(file('src/train.py'), '/projects/llama-ft/src/train.py');
    assert.equal(file('../other/secrets.py'), undefined);
    assert.equal(file('a/../../../etc/passwd'), undefined);
    assert.equal(sourceFile(runFrom(folder.toString()), folder), undefined);
  });
});
