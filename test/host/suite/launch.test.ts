import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { command, simulator, until, type PodBody } from './account';

interface Launched {
  readonly id: string;
  readonly target: string;
}

describe('a pod from a folder', () => {
  const { fs } = vscode.workspace;
  const folder = (): vscode.Uri => vscode.workspace.workspaceFolders?.[0]?.uri ?? assert.fail('no folder is open');
  const put = (name: string, text: string): Thenable<void> => fs.writeFile(vscode.Uri.joinPath(folder(), name), Buffer.from(text));
  const named = async (): Promise<PodBody[]> => (await simulator.rest<{ pods: PodBody[] }>('GET', 'pods')).body.pods.filter((p) => p.name.startsWith('suite-launch'));
  const launch = (): Thenable<Launched> => command<Launched>('runpod.createPodFromFolder', folder().toString(), { confirmed: true });
  const files = ['runpod.json', 'greeting.txt', 'code'];

  before(async () => {
    await put('runpod.json', JSON.stringify({ name: 'suite-launch', cpu: 'cpu3c-2', image: 'runpod/base:1.0.2-ubuntu2404', timeLimit: '1h', setup: 'cat greeting.txt >> made.txt; exit "$(cat code)"' }));
    await put('greeting.txt', 'hello\n');
    await put('code', '3\n');
  });
  after(async () => {
    for (const { id } of await named()) await command('runpod.terminatePod', id, { confirmed: true });
    for (const terminal of vscode.window.terminals) terminal.dispose();
    for (const name of files) await fs.delete(vscode.Uri.joinPath(folder(), name));
  });

  it('stops where its set-up fails, and goes on with the same pod when it is called again', async () => {
    await assert.rejects(Promise.resolve(launch()), /exit code 3/);
    const [pod, ...more] = await named();
    assert.ok(pod && more.length === 0);
    await put('code', '0\n');
    const { id, target } = await launch();
    assert.deepEqual([id, (await named()).length], [pod.id, 1]);
    const made = vscode.Uri.from({ scheme: 'runpod', authority: id, path: `${target}/made.txt` });
    assert.equal(Buffer.from(await fs.readFile(made)).toString(), 'hello\nhello\n', 'sent anew and run again');
    await until('a terminal there', () => vscode.window.terminals.some((t) => t.name.includes('suite-launch')));
    assert.match(pod.args, /guard/, 'with the limit of the profile');
  });
});
