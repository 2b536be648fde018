import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as nodeFs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { command, podNamed, until } from './account';

interface Result {
  readonly files: number;
  readonly bytes: number;
  readonly present: number;
  readonly verified: string;
  readonly leftOut: readonly { why: string }[];
}

describe('uploads and downloads', () => {
  let podId: string;
  let root: vscode.Uri;
  let here: string;
  const { fs } = vscode.workspace;
  const at = (...names: string[]): vscode.Uri => vscode.Uri.joinPath(root, ...names);

  before(async () => {
    const pod = await podNamed('llama-ft');
    podId = pod.id;
    if (pod.status === 'EXITED') await command('runpod.startPod', pod.id);
    root = vscode.Uri.from({ scheme: 'runpod', authority: pod.id, path: `${pod.mounts.persistent?.path ?? '/workspace'}/suite-transfer` });
    await until('the pod’s files', async () => Promise.resolve(fs.createDirectory(root)).then(() => true, () => false));
    here = await nodeFs.mkdtemp(path.join(os.tmpdir(), 'runpod-suite-'));
  });
  after(async () => {
    await fs.delete(root, { recursive: true });
    await nodeFs.rm(here, { recursive: true, force: true });
  });

  it('run without a question when complete, and give back what they did', async () => {
    await nodeFs.mkdir(path.join(here, 'data/deep'), { recursive: true });
    await nodeFs.writeFile(path.join(here, 'data/deep/a.txt'), 'a');
    const big = Buffer.alloc(20_000_000, 'checkpoint');
    await nodeFs.writeFile(path.join(here, 'model.pt'), big);
    const up = await command<Result>('runpod.uploadToPod', podId, { sources: [path.join(here, 'data'), vscode.Uri.file(path.join(here, 'model.pt')).toString()], destination: root.path });
    assert.deepEqual([up.files, up.bytes, up.verified], [2, big.length + 1, 'hash']);
    assert.equal(Buffer.from(await fs.readFile(at('data', 'deep', 'a.txt'))).toString(), 'a');

    const again = await command<Result>('runpod.uploadToPod', podId, { sources: [path.join(here, 'data'), path.join(here, 'model.pt')], destination: root });
    assert.deepEqual([again.files, again.present], [0, 2]);

    const back = path.join(here, 'back');
    const down = await command<Result>('runpod.downloadFromPod', podId, { sources: [at('model.pt'), `${root.path}/data`], destination: back });
    assert.deepEqual([down.files, down.verified], [2, 'hash']);
    const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    assert.equal(hash(await nodeFs.readFile(path.join(back, 'model.pt'))), hash(big));
  });

  it('keep what is there unless told to replace it', async () => {
    await nodeFs.writeFile(path.join(here, 'notes.txt'), 'first');
    const go = (conflicts?: string): Thenable<Result> => command<Result>('runpod.uploadToPod', podId, { sources: [path.join(here, 'notes.txt')], destination: root.path, conflicts });
    await go();
    await nodeFs.writeFile(path.join(here, 'notes.txt'), 'second version');
    assert.deepEqual((await go()).leftOut.map(({ why }) => why), ['kept']);
    assert.equal((await go('overwrite')).files, 1);
    assert.equal(Buffer.from(await fs.readFile(at('notes.txt'))).toString(), 'second version');
  });

  it('say to code what was wrong', async () => {
    await assert.rejects(Promise.resolve(command('runpod.downloadFromPod', podId, { sources: ['/no/such/file'], destination: here })), /does not exist on llama-ft/);
    await assert.rejects(Promise.resolve(command('runpod.uploadToPod', podId, { sources: [path.join(here, 'nothing')], destination: root.path })), /not there/);
  });

  it('are not needed for a file that the Explorer hands over whole, however big', async () => {
    const whole = Buffer.alloc(60_000_000, 'whole');
    await fs.writeFile(at('dropped.bin'), whole);
    assert.equal((await fs.stat(at('dropped.bin'))).size, whole.length);
    const back = await command<Result>('runpod.downloadFromPod', podId, { sources: [at('dropped.bin')], destination: here });
    assert.deepEqual([back.files, back.verified], [1, 'hash']);
    assert.ok((await nodeFs.readFile(path.join(here, 'dropped.bin'))).equals(whole));
    await fs.delete(at('dropped.bin'));
  });

  it('stand beside an editor that does not pull in a big file unasked', async () => {
    await assert.rejects(Promise.resolve(fs.readFile(at('model.pt'))), /model\.pt is too big to be pulled in unasked \(20 MB\)/);
    await vscode.workspace.getConfiguration('runpod').update('files.askAboveMegabytes', 0, vscode.ConfigurationTarget.Global);
    try {
      assert.equal((await fs.readFile(at('model.pt'))).length, 20_000_000);
    } finally {
      await vscode.workspace.getConfiguration('runpod').update('files.askAboveMegabytes', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('come with what a folder takes on its disk, and its path', async () => {
    const use = await command<{ bytes: number; at: number; entries: { name: string; bytes: number }[] }>('runpod.measureDiskUse', podId, { path: root.path });
    assert.ok(use.bytes >= 20_000_000 && Date.now() - use.at < 60_000, JSON.stringify(use));
    assert.deepEqual(use.entries.map(({ name }) => name), ['model.pt', 'data', 'notes.txt']);
    assert.equal(await command('runpod.copyPath', at('notes.txt')), at('notes.txt').path);
    assert.equal(await vscode.env.clipboard.readText(), at('notes.txt').path);
  });
});
