import assert from 'node:assert/strict';
import { until, useEditor } from './editor';

describe('an account without pods', () => {
  const editor = useEditor({ folder: 'none', simulator: ['--empty'] });

  it('says so and offers a new one; nothing in the status bar', async () => {
    await editor.sidebar();
    await until('the welcome text', async () => /No pods/.test(await editor.sidebarText()));
    await editor.screenshot('no-pods');
    assert.doesNotMatch(await editor.page.locator('.part.statusbar').innerText(), /\/hr/);
  });
});

describe('a pod that is stopped', () => {
  const editor = useEditor({ folder: 'none' });

  it('says so in its open folder and offers to start it, and the folder comes back by itself', async () => {
    const { pods } = await editor.simulator.rest<{ pods: { id: string; name: string }[] }>('GET', 'pods');
    const old = pods.find((p) => p.name === 'old-exp');
    assert.ok(old);
    await editor.open({ uri: `runpod://${old.id}/workspace` });
    const offer = await editor.notification(/old-exp is stopped/, 60_000);
    await editor.screenshot('stopped-folder');
    await offer.press('Start Pod');
    const explorer = await editor.explorer();
    await explorer.waitFor(/\w+\.(py|md|txt)|outputs|checkpoints|notes/, 120_000);
    await editor.screenshot('started-folder');
  });
});

describe('two hundred pods', () => {
  const editor = useEditor({ folder: 'none', simulator: ['--mode', 'none'], size: { width: 1000, height: 900 }, theme: 'contrast' });

  it('are listed, dearest first, in a narrow sidebar and every theme', async () => {
    for (let n = 0; n < 197; n++)
      await editor.simulator.rest('POST', 'pods', { name: `run-${n}`, image: 'runpod/base:1.0.2-ubuntu2404', cpu: { id: 'cpu3c', vcpuCount: 2 }, disk: 10 }).catch(() => undefined);
    const pods = await editor.sidebar();
    await pods.waitFor(/llama-ft/);
    await editor.command('RunPod: Refresh Pods');
    await editor.screenshot('many-contrast');
    await editor.theme('light');
    await editor.screenshot('many-light');
  });
});
