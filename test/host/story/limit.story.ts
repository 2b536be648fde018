import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../../src/base/time';
import { makeKeyPair } from '../../support/sshd';
import { click, until, useEditor } from './editor';

interface Listed {
  readonly pods: { readonly id: string; readonly name: string; readonly status: string }[];
}

/** The guard asks RunPod for the time at once. */
const nudge = ['sh', '-c', 'for f in /tmp/.runpod-workspaces/*/guard/lock.*/owner; do read pid began <$f; kill -USR1 $pid; done'];

describe('a pod that ends by itself', () => {
  const editor = useEditor({ folder: 'none' });
  const status = async (name: string): Promise<string | undefined> => (await editor.simulator.rest<Listed>('GET', 'pods')).pods.find((p) => p.name === name)?.status;

  it('is told from one that nothing ends, and is given a limit from its row', async () => {
    const pods = await editor.sidebar();
    const row = await pods.row('llama-ft');
    await row.waitFor(/no limit ⚠/);
    await editor.screenshot('no-limit');
    await row.chooseFromMenu('Set Limit…');
    await editor.quickInput.waitFor('Set Limit: llama-ft');
    await editor.screenshot('set-limit');
    await editor.quickInput.choose(/^4 h, then stop/);
    await row.waitFor(/\$0\.69\/hr · 3h 5\dm · .*4090 · limit lost on restart/);
    await editor.widenSidebar(640);
    await row.expand();
    await pods.waitFor(/\/workspace.*100 GB volume/);
    await editor.screenshot('pods', { readme: { part: '.part.sidebar', height: 300 } });
    await row.collapse();
    await editor.widenSidebar(350);
  });

  it('is extended from the palette, and the change is on the pod before it is shown', async () => {
    await editor.command('RunPod: Extend or Shorten Limit…');
    await editor.quickInput.choose(/llama-ft/);
    await editor.quickInput.choose(/^Extend 2 h/);
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).waitFor(/5h 5\dm/);
    const { stdout } = await editor.simulator.control<{ stdout: string }>('POST', 'pods/llama-ft/exec', { argv: ['sh', '-c', 'cat /workspace/.runpod-workspaces/*/guard/plan'] });
    assert.match(stdout, /limit=14400\n[\s\S]*deadline=\d{10}\n/);
    await editor.statusItem(/left/);
    // Any other time is typed, and a typing error is told at once.
    await editor.command('RunPod: Set Limit…');
    await editor.quickInput.choose(/llama-ft/);
    await editor.quickInput.choose('Other time…');
    await editor.quickInput.type('a while');
    await until('what is wrong with it', async () => /A number above 0, at most 8760/.test(await editor.quickInput.message()));
    await editor.quickInput.answer('2,5');
    await (await pods.row('llama-ft')).waitFor(/2h 2\dm/);
    // The same from the ticker.
    await click('Lift Its Limit…', async () => {
      await editor.page.locator('.part.statusbar .statusbar-item', { hasText: '/hr' }).first().hover({ timeout: 5000 });
      const links = editor.page.locator('.monaco-hover:visible, .workbench-hover:visible', { hasText: 'Spent this session' }).locator('a');
      await links.filter({ hasText: 'Extend llama-ft…' }).waitFor({ timeout: 5000 });
      return links.filter({ hasText: 'Lift Its Limit…' });
    });
    await (await editor.dialog(/Lift the limit of llama-ft for this start\?/)).press('Cancel');
  });

  it('counts down before it stops for want of use, and one click keeps it running', async () => {
    const pods = await editor.sidebar();
    const row = await pods.row('prep-cpu');
    await row.chooseFromMenu('Set Limit…');
    await editor.quickInput.choose(/^Until idle for 30 min/);
    await row.waitFor(/until idle 30 min/);
    // The guard writes its word anew at any time, so it may be read when half of it is there.
    const word = (name: 'now' | 'last_use'): Promise<number> => until('the whole word of the guard', async () => {
      const { stdout } = await editor.simulator.control<{ stdout: string }>('POST', 'pods/prep-cpu/exec', { argv: ['sh', '-c', 'cat /tmp/.runpod-workspaces/*/guard/word'] });
      return Number(new RegExp(`^${name}=(\\d+)[^]*^whole=1`, 'm').exec(stdout)?.[1] ?? 0);
    });
    const before = await word('last_use');
    await editor.simulator.control('POST', 'advance', { ms: 26 * 60_000 });
    // A single odd time is not believed, and what is used before the guard knows the time is used long ago.
    await until('the guard to believe the time', async () => {
      await editor.simulator.control('POST', 'pods/prep-cpu/exec', { argv: nudge });
      await sleep(1000);
      return (await word('now')) > before + 25 * 60;
    });
    const countdown = await editor.notification(/Nobody uses prep-cpu.*in \d min/s, 200_000);
    await editor.screenshot('idle-countdown');
    await countdown.press('Cancel');
    await until('the guard to hear of it', async () => (await word('last_use')) > before + 20 * 60);
    assert.equal(await status('prep-cpu'), 'RUNNING');
  });

  it('ends while nobody looks', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).chooseFromMenu('Extend or Shorten Limit…');
    await editor.quickInput.cancel();
    // The clock of RunPod moves on; the guard learns of it from RunPod alone.
    await editor.simulator.control('POST', 'advance', { ms: 6 * 3_600_000 });
    await editor.simulator.control('POST', 'pods/llama-ft/exec', { argv: nudge });
    await until('the stop', async () => (await status('llama-ft')) === 'EXITED', 200_000);
    await (await pods.row('llama-ft')).waitFor(/stopped/);
  });

  it('is asked about until it is dealt with when it never gets to run', async () => {
    await editor.simulator.rest('POST', 'pods', { name: 'sdxl', image: 'does-not-exist:1', gpu: { id: 'NVIDIA RTX A4000', count: 1 }, ports: ['22/tcp'], disk: 10 });
    await editor.simulator.control('POST', 'advance', { ms: 16 * 60_000 });
    await editor.command('RunPod: Refresh Pods');
    const pods = await editor.sidebar();
    await (await pods.row('sdxl')).waitFor(/stuck ⚠ · \$0\.\d\d\/hr/);
    const told = await editor.notification(/sdxl has been on its way for 1\d min and may bill \$0\.\d\d\/hr/);
    assert.deepEqual(await told.buttons(), ['Terminate Pod…', 'Show Log']);
    await editor.clearNotifications();
    await editor.screenshot('stuck');
    // Closing the message solves nothing, so the status bar goes on saying it.
    await editor.clickStatusItem(/sdxl has been on its way/);
    await editor.quickInput.waitFor('Pods to Decide On');
    await editor.screenshot('to-decide-on');
    await editor.quickInput.choose('Terminate Pod…');
    await (await editor.dialog(/Terminate sdxl\?/)).press('Terminate sdxl');
    await pods.gone('sdxl');
    await until('the warning to go', async () => !(await editor.statusBar()).some((text) => /sdxl/.test(text)));
    assert.ok(!(await editor.notifications()).some((text) => /sdxl has been/.test(text)));
  });

  it('asks nobody for a passphrase because it is looked at, and does when its runs are wanted', async () => {
    const pods = await editor.sidebar();
    mkdirSync(join(editor.home, '.ssh'), { recursive: true, mode: 0o700 });
    const { publicKey } = await makeKeyPair(join(editor.home, '.ssh', 'id_ed25519'), { passphrase: 'open sesame' });
    await editor.simulator.rest('POST', 'pods', { name: 'theirs', image: 'runpod/base:1.0.2-ubuntu2404', cpu: { id: 'cpu3c', vcpuCount: 2 }, ports: ['22/tcp'], disk: 10, env: { PUBLIC_KEY: publicKey } });
    await editor.command('RunPod: Refresh Pods');
    const row = await pods.row('theirs');
    await row.waitFor(/^(?!.*(starting|finding|waiting)).*\$0\.\d+\/hr/);
    await row.expand();
    await pods.waitFor(/Runs connect to see them/);
    assert.equal(await editor.quickInput.isOpen(), false);
    await editor.screenshot('runs-unseen');
    await (await pods.row('Runs')).click();
    await editor.quickInput.waitFor('SSH Key');
    await editor.quickInput.answer('open sesame');
    await editor.notification(/Nothing has been run on theirs yet/);
    await pods.gone('Runs');
  });
});
