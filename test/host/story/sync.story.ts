import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until, useEditor } from './editor';

describe('a folder kept in step with a pod', () => {
  const editor = useEditor({ settings: { 'runpod.sync.uploadOnSave': true } });
  const onPod = async (script: string): Promise<string> => (await editor.simulator.control<{ stdout: string }>('POST', 'pods/llama-ft/exec', { argv: ['sh', '-c', script] })).stdout;

  it('shows what differs on both sides, and pushes it', async () => {
    const pods = await editor.sidebar();
    const row = await pods.row('llama-ft');
    await row.chooseFromMenu('Sync Status');
    await editor.quickInput.waitFor(/Sync Status: llama-ft/);
    await editor.screenshot('sync-status');
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

  it('becomes a git remote, takes what it had already, and is forgotten when the pod is gone', async () => {
    const git = (...words: string[]): string => execFileSync('git', ['-C', editor.sampleFolder, ...words], { encoding: 'utf8' }).trim();
    git('init', '-q');
    git('symbolic-ref', 'HEAD', 'refs/heads/main');
    // ssh takes the home folder from the account, and this editor has another; git does as it is told.
    for (const [name, value] of [['user.name', 'someone'], ['user.email', 'someone@example.invalid'], ['core.sshCommand', `ssh -F '${editor.home}/.ssh/runpod-workspaces/config'`]] as const) git('config', name, value);
    git('add', '-A');
    git('commit', '-q', '-m', 'as it was sent');
    await editor.command('RunPod: Add Pod as Git Remote');
    await (await editor.dialog(/Add one line to .*config\?/)).press('Add the Line');
    await (await editor.notification(/llama-ft is the git remote runpod-llama-ft/)).press('Push main');
    await until('the commit on the pod', async () => (await onPod('git -C /workspace/sample log -1 --format=%s 2>&1')).trim() === 'as it was sent');
    assert.equal(await onPod('git -C /workspace/sample status --porcelain'), '');
    assert.match(readFileSync(join(editor.home, '.ssh/config'), 'utf8'), /^Include runpod-workspaces\/config\n/);

    const { pods } = await editor.simulator.rest<{ pods: { id: string; name: string }[] }>('GET', 'pods');
    await editor.simulator.rest('DELETE', `pods/${pods.find(({ name }) => name === 'llama-ft')?.id ?? ''}`);
    await editor.command('RunPod: Refresh Pods');
    await (await editor.notification(/no longer among the pods of this account, so the git remote runpod-llama-ft/)).press('Remove Remote');
    await until('the remote to be gone', async () => git('remote') === '');
  });
});
