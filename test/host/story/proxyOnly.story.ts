import { until, useEditor } from './editor';

describe('a pod without a public address', () => {
  const editor = useEditor({ folder: 'none' });

  it('says why files cannot be opened, and opens a terminal through the proxy once the account has our key', async () => {
    const { controlUrl } = editor.simulator.address;
    await fetch(`${controlUrl}/settings`, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ proxyOnly: true }) });
    const made = await editor.simulator.rest<{ id: string }>('POST', 'pods', { name: 'no-address', image: 'runpod/base:1.0.2-ubuntu2404', cloud: 'COMMUNITY', gpu: { id: 'NVIDIA RTX A4000', count: 1 }, disk: 10, startSsh: true, env: { RUNPOD_WORKSPACES_GUARD: 'limit=14400 at=stop' } });
    // The proxy asks the account, and the account has no key now that anybody here could use.
    await editor.simulator.rest('PUT', 'account/ssh-keys', { keys: [] });
    await editor.command('RunPod: Refresh Pods');
    const pods = await editor.sidebar();
    const row = await pods.row('no-address');
    await row.waitFor(/^(?!.*(starting|finding)).*\$0\.\d\d\/hr/);
    // Nobody can put a guard there: it has the limits that it was made with, here none.
    await row.waitFor(/no limit ⚠/);
    await until('its tooltip', async () => /none: it can be put on the pod only over direct SSH/.test(await row.tooltip()));
    await row.chooseFromMenu('Set Limit…');
    await editor.quickInput.choose(/^4 h, then stop/);
    await editor.notification(/no-address has no direct SSH.*keeps the limit that it was made with, or none/);
    await row.chooseFromMenu('Open Remote Workspace');
    const why = await editor.notification(/no direct SSH/);
    await why.press('Open Terminal');
    const offer = await editor.notification(/accepts only the SSH keys of the account/);
    await offer.press('Add SSH Key to Account');
    await editor.notification(/among your account’s SSH keys/);
    await editor.terminal.press('Enter');
    await editor.terminal.waitFor(/[#$] *$/);
    await editor.terminal.type('echo "pod $(hostname)"\n');
    await editor.terminal.waitFor(new RegExp(`pod ${made.id}`));
    await editor.screenshot('proxy-only');
  });
});
