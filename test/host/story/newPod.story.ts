import assert from 'node:assert/strict';
import { until, useEditor } from './editor';

describe('a new pod', () => {
  const editor = useEditor({ folder: 'none' });

  it('is made in five steps with the price named before, and is ready in the end', async () => {
    // The icon hands over the row that has the focus.
    await (await (await editor.sidebar()).row('llama-ft')).click();
    await editor.sidebarAction('New Pod…');
    await editor.quickInput.answer('sdxl');
    await editor.quickInput.waitFor('New Pod (2/5)');
    await until('prices', async () => (await editor.quickInput.items()).some((i) => /\$\d\.\d\d\/hr {1,2}\(\$\d\.\d\d community\)/.test(i.description)));
    await editor.screenshot('new-pod', { readme: { part: '.quick-input-widget' } });
    await editor.quickInput.type('a4000');
    await editor.quickInput.choose(/^RTX A4000 +16 GB .*\$0\.\d+\/hr/);
    await editor.quickInput.choose('RunPod PyTorch');
    await editor.quickInput.choose('20 GB volume');
    await editor.quickInput.waitFor('New Pod (5/5)');
    await editor.screenshot('new-pod-limit');
    await editor.quickInput.choose(/^4 h, then stop/);
    await until('the price', async () => (await editor.quickInput.items()).some((i) => /\$0\.\d\d\/hr/.test(i.description)));
    await editor.quickInput.choose('Create sdxl');
    const pods = await editor.sidebar();
    await pods.row('sdxl');
    const ready = await editor.notification(/sdxl is ready/, 200_000);
    await editor.screenshot('ready');
    await ready.press('Open Terminal');
    await editor.terminal.waitFor(/[#$] *$/);
  });

  it('is found by memory, price and number of GPUs', async () => {
    const labels = async (): Promise<string[]> => (await editor.quickInput.items()).map((i) => i.label);
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.answer('search');
    await editor.quickInput.waitFor('New Pod (2/5)');
    await until('prices', async () => (await editor.quickInput.items()).some((i) => /\/hr/.test(i.description)));
    await editor.quickInput.type('48');
    await until('only 48 GB', async () => (await labels()).filter((l) => / GB$/.test(l)).every((l) => / 48 GB$/.test(l)) && (await labels()).some((l) => /^L40S? /.test(l)));
    await editor.quickInput.type('<0.3');
    await until('nothing dear', async () => (await editor.quickInput.items()).every((i) => !/\$[1-9]|\$0\.[3-9]\d\/hr/.test(i.description.replace(/\(.*\)/, ''))));
    await editor.quickInput.type('2x 4090');
    await until('two of them', async () => (await labels()).some((l) => /^2× RTX 4090 +2×24 GB/.test(l)));
    await editor.screenshot('new-pod-two');
    await editor.quickInput.cancel();
  });

  it('offers ways out when nothing is free, and places it in the other cloud', async () => {
    await editor.simulator.control('POST', 'faults', { method: 'POST', path: '/v2/pods', effect: { kind: 'status', status: 400, detail: 'There are no longer any instances available with the requested specifications. Please refresh and try again.' } });
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.answer('elsewhere');
    await editor.quickInput.waitFor('New Pod (2/5)');
    await until('prices', async () => (await editor.quickInput.items()).some((i) => /\/hr/.test(i.description)));
    await editor.quickInput.type('4090');
    await editor.quickInput.choose(/^RTX 4090 /);
    await editor.quickInput.choose('RunPod PyTorch');
    await editor.quickInput.choose('20 GB volume');
    await editor.quickInput.choose(/^4 h, then stop/);
    await editor.quickInput.choose('Create elsewhere');
    const none = await editor.notification(/No RTX 4090 free right now/);
    await editor.screenshot('no-capacity');
    await none.press(/Try Community Cloud/);
    await editor.notification(/elsewhere is ready/, 200_000);
    const { pods } = await editor.simulator.rest<{ pods: { name: string; cloud: string }[] }>('GET', 'pods');
    assert.equal(pods.find((p) => p.name === 'elsewhere')?.cloud, 'COMMUNITY');
  });

  it('waits for what is out of stock, and makes it when there is one', async () => {
    await editor.simulator.control('PATCH', 'settings', { shortages: [{ gpu: 'NVIDIA L4' }] });
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.answer('awaited');
    await editor.quickInput.waitFor('New Pod (2/5)');
    await until('prices', async () => (await editor.quickInput.items()).some((i) => /\/hr/.test(i.description)));
    await editor.quickInput.type('l4 24');
    await editor.quickInput.choose(/^L4 .*watch for it/);
    await editor.quickInput.choose('RunPod PyTorch');
    await editor.quickInput.choose('20 GB volume');
    await editor.quickInput.choose(/^4 h, then stop/);
    await editor.quickInput.choose('Create awaited as Soon as One Is Free');
    await editor.statusItem(/watching for L4/);
    // It outlives the window.
    await editor.reload(/runpod\.watches/);
    await editor.statusItem(/watching for L4/);
    await editor.simulator.control('PATCH', 'settings', { shortages: [] });
    await editor.notification(/awaited is ready/, 200_000);
  });

  it('ends what RunPod makes of a request that was cancelled on its way', async () => {
    await editor.simulator.control('POST', 'faults', { method: 'POST', path: '/v2/pods', when: 'after', effect: { kind: 'delay', ms: 4000 } });
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.answer('recalled');
    await editor.quickInput.waitFor('New Pod (2/5)');
    await editor.quickInput.type('a4000');
    await editor.quickInput.choose(/^RTX A4000 /);
    await editor.quickInput.choose('RunPod PyTorch');
    await editor.quickInput.choose('20 GB volume');
    await editor.quickInput.choose(/^4 h, then stop/);
    await editor.quickInput.choose('Create recalled');
    await (await editor.notification(/Creating recalled/)).press('Cancel');
    const names = async (): Promise<string[]> => (await editor.simulator.rest<{ pods: { name: string }[] }>('GET', 'pods')).pods.map((p) => p.name);
    await until('RunPod to have made it', async () => (await names()).includes('recalled'));
    await until('it to be gone', async () => !(await names()).includes('recalled'));
  });

  it('asks after a quarter of an hour, and ends what was made when the wait is cancelled', async () => {
    await editor.simulator.control('PATCH', 'settings', { timings: { pullMs: 7_200_000 } });
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.answer('unwanted');
    await editor.quickInput.waitFor('New Pod (2/5)');
    await editor.quickInput.type('a4000');
    await editor.quickInput.choose(/^RTX A4000 /);
    await editor.quickInput.choose('More Public Templates…');
    await editor.quickInput.waitFor('Public Templates (3/5)');
    await editor.quickInput.button('Back');
    await editor.quickInput.choose('More Public Templates…');
    await editor.quickInput.choose('Template by Its Id…');
    await editor.quickInput.answer('axolotl-community');
    await editor.quickInput.choose(/^As the template says \(20 GB volume\)/);
    await editor.quickInput.choose(/^4 h, then stop/);
    await editor.quickInput.choose('Create unwanted');
    const pods = await editor.sidebar();
    await pods.row('unwanted');
    const { pods: made } = await editor.simulator.rest<{ pods: { name: string; image: string }[] }>('GET', 'pods');
    assert.match(made.find((p) => p.name === 'unwanted')?.image ?? '', /^axolotlai\/axolotl-cloud/);
    const wait = await editor.notification(/unwanted.*(finding|pulling|starting|waiting)/s);
    await editor.simulator.control('POST', 'advance', { ms: 16 * 60_000 });
    const question = await editor.notification(/unwanted is not ready after 1\d min.*So far it has cost ~\$0\.\d\d/s);
    await editor.screenshot('not-ready');
    await question.press('Keep Waiting');
    await wait.press('Cancel');
    await editor.simulator.control('PATCH', 'settings', { timings: { pullMs: 3500 } });
    await pods.gone('unwanted');
  });

  it('can be left at any step, and goes back', async () => {
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.answer('left');
    await editor.quickInput.waitFor('New Pod (2/5)');
    await editor.quickInput.button('Back');
    await editor.quickInput.waitFor('New Pod (1/5)');
    await editor.quickInput.cancel();
    const { pods } = await editor.simulator.rest<{ pods: { name: string }[] }>('GET', 'pods');
    assert.ok(!pods.some((p) => p.name === 'left'));
  });

  it('says what Doctor finds', async () => {
    await editor.command('RunPod: Doctor: Check Connection');
    await editor.quickInput.choose('sdxl');
    await editor.output(/Everything\sthat\sis\sneeded\sworks/);
    await editor.screenshot('doctor');
    await editor.command('RunPod: Doctor: Check Connection');
    await editor.quickInput.choose('old-exp');
    await editor.notification(/^old-exp: .* fails: /);
  });
});
