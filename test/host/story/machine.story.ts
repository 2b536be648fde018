import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until, useEditor } from './editor';

interface PodBody {
  readonly name: string;
  readonly cost: number;
  readonly env: Readonly<Record<string, string>>;
  readonly ssh: { readonly direct: { host: string; port: number } | null };
}

describe('machines by hand and spot pods', () => {
  const editor = useEditor();
  const file = (): string => join(editor.sampleFolder, '.runpod_config.json');
  const pods = async (): Promise<PodBody[]> => (await editor.simulator.rest<{ pods: PodBody[] }>('GET', 'pods')).pods;

  it('bids for a spot pod, and names the nearest price on demand where RunPod gives none', async () => {
    await editor.command('RunPod: New Spot Pod…');
    await editor.quickInput.answer('cheap');
    await editor.quickInput.waitFor('New Spot Pod (2/5)');
    await editor.quickInput.type('a5000');
    await editor.quickInput.choose(/^RTX A5000 /);
    await editor.quickInput.choose('20 GB volume');
    await until('the market', async () => /Lowest now: \$0\.\d\d; on demand: \$0\.27/.test(await editor.quickInput.message()));
    await editor.quickInput.accept();
    await editor.quickInput.choose(/^4 h, then stop/);
    const none = await editor.notification(/RunPod gave no spot pod.*no longer any instances.*RTX A5000 at \$0\.27\/hr/);
    await editor.screenshot('spot-refused');
    await none.press(/Create On Demand/);
    await editor.notification(/cheap is ready/, 200_000);
    const made = (await pods()).find((p) => p.name === 'cheap');
    assert.equal(made?.cost, 0.27);
    assert.match(made?.env['RUNPOD_WORKSPACES_GUARD'] ?? '', /limit=14400/, 'the limit goes with it');
  });

  it('writes a pod’s address to the folder, and replaces it only when told to', async () => {
    await (await (await editor.sidebar()).row('llama-ft')).chooseFromMenu('Write .runpod_config.json');
    const direct = (await pods()).find((p) => p.name === 'llama-ft')?.ssh.direct;
    await until('the file', () => readFileSync(file(), 'utf8').includes(`"port": ${direct?.port}`));
    await (await (await editor.sidebar()).row('llama-ft')).chooseFromMenu('Write .runpod_config.json');
    await (await editor.dialog(/there already/)).press('Cancel');
  });

  it('connects to the machine that the folder names, once that is agreed to', async () => {
    const direct = (await pods()).find((p) => p.name === 'llama-ft')?.ssh.direct;
    writeFileSync(file(), JSON.stringify({ user: 'root', host: direct?.host, port: direct?.port, ssh_key: editor.simulator.address.sshKey, remote_dir: '/workspace' }));
    await editor.command('RunPod: Connect to the Machine of .runpod_config.json');
    const dialog = await editor.dialog(new RegExp(`Connect to root@${direct?.host}:${direct?.port}\\?`));
    assert.match(await dialog.text(), /with the key .*account_ed25519/);
    await editor.screenshot('machine');
    await dialog.press('Connect');
    // The sample has no such file: it is the machine's.
    await editor.explorer().then((tree) => tree.row('requirements.txt'));
    // It has a row of its own, without a price, with its folder and terminal.
    const row = await (await editor.sidebar()).row(`root@${direct?.host}:${direct?.port}`);
    await row.waitFor(/\/workspace · connected/);
    await row.action('Open Terminal');
    await editor.terminal.waitFor(/[#$] *$/);
  });
});
