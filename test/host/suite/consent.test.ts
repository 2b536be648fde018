import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { FolderConsents } from '../../../src/editor/profile/consent';

describe('what a folder was given leave for', () => {
  it('holds for exactly that, in that folder, until something of it changes', async () => {
    const notes = new Map<string, unknown>();
    const memento = { keys: () => [...notes.keys()], get: (key: string) => notes.get(key), update: async (key: string, value: unknown) => void notes.set(key, value) } as vscode.Memento;
    const folder = (name: string): vscode.WorkspaceFolder => ({ uri: vscode.Uri.file(`/proj/${name}`), name, index: 0 });
    const machine = (...covers: string[]) => ({ about: 'connection', covers });
    const consents = new FolderConsents(memento);
    await consents.give(folder('a'), machine('root@10.0.0.1:22', 'key:~/.ssh/id'));
    // Kept over windows, in whatever order it is named.
    const later = new FolderConsents(memento);
    assert.equal(later.given(folder('a'), machine('key:~/.ssh/id', 'root@10.0.0.1:22')), true);
    assert.equal(later.given(folder('b'), machine('root@10.0.0.1:22', 'key:~/.ssh/id')), false);
    assert.equal(later.given(folder('a'), machine('root@10.0.0.2:22', 'key:~/.ssh/id')), false);
    assert.equal(later.given(folder('a'), machine('root@10.0.0.1:22', 'key:~/.ssh/other')), false);
    assert.equal(later.given(folder('a'), { about: 'variables:', covers: ['root@10.0.0.1:22', 'key:~/.ssh/id'] }), false);
  });
});
