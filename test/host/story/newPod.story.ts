import assert from 'node:assert/strict';
import { until, useEditor } from './editor';

describe('a new pod', () => {
  const editor = useEditor({ folder: 'none' });

  it('is made in four steps with the price named before, and is ready in the end', async () => {
    await editor.sidebar();
    await editor.sidebarAction('New Pod…');
    await editor.quickInput.answer('sdxl');
    await editor.quickInput.waitFor('New Pod (2/4)');
    await until('prices', async () => (await editor.quickInput.items()).some((i) => /\$\d\.\d\d\/hr/.test(i.description)));
    await editor.screenshot('new-pod', { readme: true });
    await editor.quickInput.choose(/^RTX A4000 .*\$0\.\d+\/hr/);
    await editor.quickInput.choose('RunPod PyTorch');
    await editor.quickInput.choose('20 GB volume');
    assert.match((await editor.quickInput.items()).map((i) => i.description).join('\n'), /\$0\.\d\d\/hr/);
    await editor.quickInput.choose('Create sdxl');
    const pods = await editor.sidebar();
    await pods.row('sdxl');
    const ready = await editor.notification(/sdxl is ready/, 90_000);
    await editor.screenshot('ready');
    await ready.press('Open Terminal');
    await editor.terminal.waitFor(/[#$] *$/, 60_000);
  });

  it('can be left at any step, and goes back', async () => {
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.answer('left');
    await editor.quickInput.waitFor('New Pod (2/4)');
    await editor.quickInput.button('Back');
    await editor.quickInput.waitFor('New Pod (1/4)');
    await editor.quickInput.cancel();
    const { pods } = await editor.simulator.rest<{ pods: { name: string }[] }>('GET', 'pods');
    assert.ok(!pods.some((p) => p.name === 'left'));
  });

  it('says what Doctor finds', async () => {
    await editor.command('RunPod: Doctor: Check Connection');
    await editor.quickInput.choose('sdxl');
    await editor.output(/Everything\sthat\sis\sneeded\sworks/, 60_000);
    await editor.screenshot('doctor');
  });
});
