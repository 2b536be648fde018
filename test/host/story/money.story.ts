import assert from 'node:assert/strict';
import { until, useEditor } from './editor';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

describe('an account whose balance nobody tells', () => {
  const editor = useEditor({ folder: 'none', settings: { 'runpod.api.graphqlUrl': '' } });

  it('has the one a person types in, told as theirs and minus what was counted since', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).waitFor(/\$0\.69/);
    assert.doesNotMatch(await pods.text(), /left/);
    await editor.command('RunPod: Set Balance or Budget…');
    await editor.quickInput.choose('Balance');
    await editor.quickInput.answer('12.50');
    const row = await pods.row(/~\$12\.\d\d left/);
    await row.waitFor(/typed \d+s ago · spending \$0\.8\d\/hr/);
    await editor.statusItem(/2 pods running, .*, 1[34] h \d+ min left/);
    await editor.screenshot('typed-balance');
    await editor.command('RunPod: Set Balance or Budget…');
    await editor.quickInput.choose('Forget the Figure');
    await until('the figure to be gone', async () => !/left/.test(await pods.text()));
  });
});

describe('what costs money and does not go well', () => {
  const editor = useEditor({ folder: 'none' });
  const listed = async (): Promise<readonly Row[]> => (await editor.simulator.rest<{ pods: Row[] }>('GET', 'pods')).pods;
  const named = async (name: string): Promise<Row | undefined> => (await listed()).find((pod) => pod.name === name);

  it('says so when a start is refused for lack of a GPU, and tries again', async () => {
    const pods = await editor.sidebar();
    await editor.simulator.control('PATCH', 'settings', { startGpu: 'refuse-400' });
    await (await pods.row('old-exp')).action('Start Pod');
    const refused = await editor.notification(/old-exp cannot start: its machine has no free GPU/);
    assert.deepEqual(await refused.buttons(), ['Keep Trying', 'Open Console']);
    assert.match(await refused.text(), /To copy \/workspace off meanwhile, start it without a GPU in the console/);
    await editor.screenshot('start-refused');
    await editor.simulator.control('PATCH', 'settings', { startGpu: 'absent' });
    await refused.press('Keep Trying');
  });

  it('says so when a pod comes back without a GPU, and how large its data is', async () => {
    const empty = await editor.notification(/old-exp came back without a GPU/, 60_000);
    assert.deepEqual(await empty.buttons(), ['Copy Data…', 'Stop and Keep Trying', 'Open Folder']);
    await (await (await editor.sidebar()).row('old-exp')).waitFor(/no GPU/);
    await editor.screenshot('start-without-gpu');
    await empty.press('Copy Data…');
    const size = await editor.notification(/\/workspace on old-exp holds \d.* [KMG]?B/);
    assert.deepEqual(await size.buttons(), ['Copy to This Machine…']);
    await editor.screenshot('copy-data');
    await editor.clearNotifications();
  });

  it('makes another pod on the same network volume', async () => {
    await editor.simulator.control('PATCH', 'settings', { startGpu: 'ok' });
    const { id } = await editor.simulator.rest<Row>('POST', 'pods', {
      name: 'train',
      image: 'runpod/base:1.0.2-ubuntu2404',
      gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
      mounts: { network: [{ volumeId: 'agv6w2qcg7', path: '/workspace' }] },
      ports: ['22/tcp'],
      disk: 20,
    });
    await until('the pod to run', async () => (await named('train'))?.status === 'RUNNING', 60_000);
    await editor.simulator.rest('POST', `pods/${id}/action`, { action: 'stop' });
    await until('the pod to stop', async () => (await named('train'))?.status === 'EXITED', 60_000);
    await editor.simulator.control('PATCH', 'settings', { startGpu: 'refuse-409' });
    const pods = await editor.sidebar();
    await editor.command('RunPod: Refresh Pods');
    await (await pods.row('train')).action('Start Pod');
    const refused = await editor.notification(/train cannot start: .*lies on a network volume, so another pod can go on with it/);
    await refused.press('New Pod on This Volume…');
    await editor.quickInput.waitFor(/New Pod on the Volume of train/);
    await editor.quickInput.choose(/^A40/);
    const dialog = await editor.dialog(/Create train-2\?/);
    assert.match(await dialog.text(), /in US-KS-2 for \$\d+\.\d\d\/hr.*the same \/workspace/);
    await editor.screenshot('pod-beside');
    await dialog.press('Create train-2');
    await until('the other pod', async () => (await named('train-2')) !== undefined);
  });

  it('tells once when the credit runs out, with what would be lost and the way to more', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).waitFor(/\$0\.69/);
    await editor.simulator.control('PATCH', 'settings', { balance: 2 });
    // The balance is asked for once a minute at most; a new window asks at once.
    await editor.reload();
    await editor.sidebar();
    const told = await editor.notification(/RunPod balance: \$\d\.\d\d lasts .* more at .*Then all pods stop/);
    assert.match(await told.text(), /without a network volume are deleted with their data|has no network volume and is deleted/);
    assert.deepEqual(await told.buttons(), ['Add Credit']);
    await (await (await editor.sidebar()).row('llama-ft')).waitFor(/data lost at \$0/);
    await editor.screenshot('alert-runway');
    await editor.clearNotifications();
    await editor.command('RunPod: Refresh Pods');
    await editor.statusItem(/\d pods running/);
    assert.deepEqual((await editor.notifications()).filter((text) => /balance/.test(text)), []);
  });
});
