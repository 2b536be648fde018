import assert from 'node:assert/strict';
import { until, useEditor } from './editor';

interface Listed {
  readonly pods: { readonly id: string; readonly name: string; readonly status: string }[];
}

describe('the main job, as a person does it', () => {
  const editor = useEditor({ folder: 'none' });
  const podNamed = async (name: string): Promise<Listed['pods'][number] | undefined> => (await editor.simulator.rest<Listed>('GET', 'pods')).pods.find((p) => p.name === name);

  it('shows pods with cost, time left and hardware, and the sum in the status bar', async () => {
    const pods = await editor.sidebar();
    const running = await pods.row('llama-ft');
    await running.waitFor(/\$0\.69\/hr · .*4090/);
    await (await pods.row('old-exp')).waitFor(/stopped/);
    await pods.waitFor(/\$18\.\d\d left/);
    await editor.statusItem(/\$0\.\d\d\/hr/);
    await running.expand();
    await pods.waitFor(/\/workspace.*100 GB volume/);
    await editor.screenshot('expanded');
  });

  it('opens the folder of a pod in an empty window', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).action('Open Remote Workspace');
    const explorer = await editor.explorer();
    await explorer.waitFor(/train\.py/);
  });

  it('edits a file there and saves it', async () => {
    const train = await editor.openFile('train.py');
    await train.shows(/epoch/i);
    await train.replaceWith('import os\nprint("hello from", os.environ["RUNPOD_POD_ID"])\nprint("\\u001b[32mgreen\\u001b[0m")\nraise SystemExit(3)\n');
    await train.save();
  });

  it('runs it with Run on RunPod and reads its output and exit code', async () => {
    const pod = await podNamed('llama-ft');
    await editor.textEditor.titleAction('Run on RunPod');
    await editor.terminal.waitFor(new RegExp(`hello from ${pod?.id}`));
    await editor.terminal.waitFor(/green/);
    await editor.terminal.waitFor(/exit code 3|code 3/i);
    await editor.screenshot('run');
  });

  it('opens a terminal in the same folder', async () => {
    await editor.command('RunPod: Open Terminal');
    await editor.terminal.waitFor(/[#$] *$/);
    await editor.terminal.type('pwd; echo $RUNPOD_POD_ID; stty size\n');
    await editor.terminal.waitFor(/^\/workspace$/m);
    await editor.terminal.waitFor(new RegExp(`^${(await podNamed('llama-ft'))?.id}$`, 'm'));
  });

  it('stops the pod after saying what is lost and what goes on billing', async () => {
    const pods = await editor.sidebar();
    const row = await pods.row('llama-ft');
    await row.chooseFromMenu('Terminate Pod…');
    const end = await editor.dialog(/Terminate llama-ft\?/);
    assert.deepEqual((await end.buttons()).sort(), ['Cancel', 'Copy Data First…', 'Terminate llama-ft']);
    await end.press('Cancel');
    await row.chooseFromMenu('Stop Pod…');
    const dialog = await editor.dialog(/Stop llama-ft\?/);
    assert.match(await dialog.text(), /\/workspace \(100 GB\) is kept at ~\$0\.\d+\/hr/);
    await editor.screenshot('stop-dialog');
    await dialog.press('Stop Pod');
    await row.waitFor(/stopped/);
    await until('RunPod to say so too', async () => (await podNamed('llama-ft'))?.status === 'EXITED');
  });

  it('terminates it after naming it and what is deleted', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).chooseFromMenu('Terminate Pod…');
    const dialog = await editor.dialog(/Terminate llama-ft\?/);
    assert.match(await dialog.text(), /deleted and cannot be recovered/);
    await dialog.press('Terminate llama-ft');
    await pods.gone('llama-ft');
    await until('the pod to be gone', async () => (await podNamed('llama-ft')) === undefined);
  });
});
