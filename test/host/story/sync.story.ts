import assert from 'node:assert/strict';
import { until, useEditor } from './editor';

describe('a folder kept in step with a pod', () => {
  const editor = useEditor({ settings: { 'runpod.sync.uploadOnSave': true } });
  const onPod = async (script: string): Promise<string> => (await editor.simulator.control<{ stdout: string }>('POST', 'pods/llama-ft/exec', { argv: ['sh', '-c', script] })).stdout;

  it('shows what differs on both sides, and pushes it', async () => {
    const pods = await editor.sidebar();
    const row = await pods.row('llama-ft');
    await row.chooseFromMenu('Sync Status');
    await editor.quickInput.waitFor(/Sync Status: llama-ft/);
    await editor.screenshot('sync-status', { readme: true });
    await editor.quickInput.choose(/^Push: files/);
    await editor.notification(/Sent to .*files/);
    assert.match(await onPod('cat /workspace/sample/train.py'), /training loop/);
  });

  it('sends a file when it is saved, and brings what the pod made', async () => {
    await editor.openFile('train.py');
    await editor.textEditor.type('# edited\n');
    await editor.textEditor.save();
    await until('the saved file on the pod', async () => (await onPod('cat /workspace/sample/train.py')).includes('# edited'));
    await onPod('echo a,b >/workspace/sample/result.csv');
    await editor.command('RunPod: Pull from Pod');
    await editor.notification(/Brought from/);
  });
});
