import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
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

  it('asks about what both sides changed, holds secrets back, asks before much is sent, and shows a mirror first', async () => {
    const here = (name: string): string => join(editor.sampleFolder, name);
    await onPod('echo theirs >/workspace/sample/train.py');
    writeFileSync(here('train.py'), 'print("mine")\n');
    writeFileSync(here('.env'), 'KEY=1\n');
    writeFileSync(here('README.md'), '# Changed as well\n');
    // A part of the folder, from the explorer.
    const explorer = await editor.explorer();
    await explorer.row('.env');
    await (await explorer.row('README.md')).chooseFromMenu('Push to Pod');
    await editor.notification(/Sent to .*files: 1,/);
    // Though a browser shows it, the folder is on the machine that the extension runs on, and can take files.
    await (await explorer.row('README.md')).chooseFromMenu('Pull from Pod');
    await editor.notification(/There is nothing new in/);
    assert.equal(await onPod('cat /workspace/sample/train.py'), 'theirs\n');
    await editor.clearNotifications();
    await editor.command('RunPod: Push to Pod');
    await (await editor.notification(/were changed on llama-ft since they were sent.*train\.py/)).press('Keep Both');
    await editor.notification(/Held back, for they look like secrets: \.env/);
    assert.equal(await onPod('cd /workspace/sample && cat train.py train\\ \\(llama-ft*.py; ls .env 2>&1 | wc -l; ls -A | grep -c "^.env$"'), 'print("mine")\ntheirs\n1\n0\n');
    await editor.clearNotifications();

    writeFileSync(here('big.bin'), '');
    truncateSync(here('big.bin'), 300 * 1024 * 1024);
    await editor.command('RunPod: Push to Pod');
    assert.match(await (await editor.notification(/Send files to llama-ft: 1, 3\d\d MB|Send files to llama-ft: 1, 300/)).text(), /big\.bin/);
    await editor.clearNotifications();
    rmSync(here('big.bin'));

    mkdirSync(here('.vscode'), { recursive: true });
    writeFileSync(here('.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks: [{ type: 'runpod-sync', label: 'mirror it', action: 'push', mirror: true, pod: 'llama-ft', presentation: { reveal: 'never' } }] }));
    // The editor reads a file that has just been written in its own time.
    await until('the task in the list', async () => {
      await editor.command('Tasks: Run Task');
      await editor.quickInput.waitFor();
      if (await until('it', async () => (await editor.quickInput.items()).some(({ label }) => label.includes('mirror it')), 2_000).catch(() => false)) return true;
      await editor.quickInput.cancel();
      return false;
    });
    await editor.quickInput.choose(/mirror it/);
    const dialog = await editor.dialog(/Make llama-ft like this folder\?/);
    assert.match(await dialog.text(), /recycled.*train \(llama-ft/);
    await dialog.press('Mirror');
    await until('the pod to be like the folder', async () => (await onPod('ls /workspace/sample')).includes('(llama-ft') === false);
    assert.match(await onPod('cat /workspace/.runpod-workspaces/*/recycled/*/train*'), /^theirs\n$/);
    for (const name of ['.vscode', '.env']) rmSync(here(name), { recursive: true });
    await onPod('rm -rf /workspace/sample/.vscode');
    await editor.clearNotifications();
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
