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
    await row.waitFor(/~1[34]h at \$0\.8\d\/hr · typed .+ ago/);
    await editor.statusItem(/2 pods running, .*, 1[34] h \d+ min left/);
    await editor.screenshot('typed-balance');
    await editor.command('RunPod: Set Balance or Budget…');
    await editor.quickInput.choose('Forget the Figure');
    await until('the figure to be gone', async () => !/left/.test(await pods.text()));
  });

  it('tells once when the credit runs out, with what would be lost and the way to more, and again once it has recovered', async () => {
    const type = async (usd: string): Promise<void> => {
      await editor.command('RunPod: Set Balance or Budget…');
      await editor.quickInput.choose('Balance');
      await editor.quickInput.answer(usd);
    };
    const alarm = /RunPod balance: ~\$\d\.\d\d lasts .* more at .*Then all pods stop/;
    await type('2');
    const told = await editor.notification(alarm);
    assert.match(await told.text(), /without a network volume are deleted with their data|has no network volume and is deleted/);
    assert.deepEqual(await told.buttons(), ['Add Credit']);
    await (await (await editor.sidebar()).row('llama-ft')).waitFor(/data lost at \$0/);
    await editor.screenshot('alert-runway');
    // What was told is known to the next window too.
    await editor.reload(/runpod\.toldAlarms/);
    await (await (await editor.sidebar()).row('llama-ft')).waitFor(/data lost at \$0/);
    assert.deepEqual((await editor.notifications()).filter((text) => /balance/.test(text)), []);
    await type('50');
    await (await editor.sidebar()).row(/~\$(50|49)\.\d\d left/);
    await type('2');
    await editor.notification(alarm);
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
    const empty = await editor.notification(/old-exp came back without a GPU/);
    assert.deepEqual(await empty.buttons(), ['Copy Data…', 'Stop and Keep Trying', 'Open Folder']);
    await (await (await editor.sidebar()).row('old-exp')).waitFor(/no GPU/);
    await editor.screenshot('start-without-gpu');
    await empty.press('Stop and Keep Trying');
    await (await editor.dialog(/Stop old-exp\?/)).press('Stop Pod');
    const again = await editor.notification(/old-exp came back without a GPU/);
    await again.press('Copy Data…');
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
    await until('the pod to run', async () => (await named('train'))?.status === 'RUNNING');
    await editor.simulator.rest('POST', `pods/${id}/action`, { action: 'stop' });
    await until('the pod to stop', async () => (await named('train'))?.status === 'EXITED');
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

  it('tells of a pod that runs long without a limit', async () => {
    editor.settings({ 'runpod.alerts.runningHours': 0.02 });
    await editor.simulator.control('POST', 'advance', { ms: 5 * 60_000 });
    const told = await until('the alarm', async () => {
      await editor.command('RunPod: Refresh Pods');
      return editor.notification(/has been running for .* without a limit, so far for ~\$\d.* \(\$0\.\d\d\/hr\)/, 2_000).catch(() => undefined);
    });
    await editor.screenshot('alert-running');
    await told.press('Stop Pod');
    await (await editor.dialog(/Stop .*\?.*Compute billing ends/)).press('Cancel');
  });

  it('says of a stop that RunPod takes and does not do, until it is done', async () => {
    await editor.clearNotifications();
    const minutes = (n: number): Promise<unknown> => editor.simulator.control('POST', 'advance', { ms: n * 60_000 });
    const asked = async (times: number): Promise<void> => {
      const seen = await editor.simulator.control<{ method: string; path: string; status?: number }[]>('GET', 'requests');
      if (seen.filter((r) => r.method === 'POST' && r.path.endsWith('/action') && r.status === 200).length < times) throw new Error('not yet');
    };
    await editor.simulator.control('PATCH', 'settings', { ignoredActions: ['stop'] });
    await editor.simulator.control('DELETE', 'requests');
    await (await (await editor.sidebar()).row('llama-ft')).action('Stop Pod…');
    await (await editor.dialog(/Stop llama-ft\?/)).press('Stop Pod');
    await until('RunPod to be asked', () => asked(1).then(() => true, () => false));
    await minutes(2);
    const told = await editor.notification(/^llama-ft \(\$0\.69\/hr\): stop not confirmed for \dm\. Stop Again/);
    await (await (await editor.sidebar()).row('llama-ft')).waitFor(/\$0\.69\/hr · stop not confirmed \dm ⚠/);
    await editor.statusItem(/has not confirmed that llama-ft is stopped/);
    await editor.screenshot('stop-unconfirmed');
    // Asked for once more in vain.
    await told.follow('Stop Again');
    await until('RunPod to be asked again', () => asked(2).then(() => true, () => false));
    await until('the notification to go', async () => !(await editor.notifications()).some((text) => /not confirmed/.test(text)));
    await minutes(2);
    await editor.notification(/stop not confirmed for \dm\. Open Console/);
    // Another window knows of it, and says it again when it is time.
    await editor.reload(/unconfirmed:\w+:2/);
    await (await (await editor.sidebar()).row('llama-ft')).waitFor(/stop not confirmed \dm ⚠/);
    await editor.statusItem(/has not confirmed that llama-ft is stopped/);
    assert.deepEqual((await editor.notifications()).filter((text) => /not confirmed/.test(text)), []);
    await minutes(3);
    await editor.command('RunPod: Refresh Pods');
    await editor.notification(/stop not confirmed for \dm\. Open Console/);
    // Confirmed late, it is over by itself.
    await editor.simulator.control('PATCH', 'settings', { ignoredActions: [] });
    await editor.simulator.rest('POST', `pods/${(await named('llama-ft'))?.id}/action`, { action: 'stop' });
    await editor.command('RunPod: Refresh Pods');
    await (await (await editor.sidebar()).row('llama-ft')).waitFor(/^(?!.*confirmed).*stopped/);
    await until('the notification to go', async () => !(await editor.notifications()).some((text) => /not confirmed/.test(text)));
    assert.ok(!(await editor.statusBar()).some((text) => /not confirmed/.test(text)));
  });

  it('says why there is no spot pod, with the nearest price on demand', async () => {
    await askForSpot();
    const refused = await editor.notification(/RunPod says: “.*Nearest on demand: .*A4000.* at \$0\.\d\d\/hr/);
    assert.match((await refused.buttons()).join(), /^Create On Demand \(\$0\.\d\d\/hr\)$/);
    await editor.clearNotifications();
  });

  it('tells a spot pod that was outbid from one that was stopped', async () => {
    await editor.simulator.control('PATCH', 'settings', { spot: 'on' });
    await askForSpot();
    await editor.notification(/spot is ready/);
    await (await (await editor.sidebar()).row('spot')).waitFor(/A4000/);
    await editor.simulator.control('POST', 'pods/spot/outbid', {});
    await editor.command('RunPod: Refresh Pods');
    const told = await editor.notification(/spot was outbid and has stopped\. \/workspace is kept/);
    assert.deepEqual(await told.buttons(), ['Bid Again…', 'New Spot Pod…']);
    await editor.screenshot('outbid');
    // By now the market is above what was bid.
    await editor.simulator.control('PATCH', 'settings', { spotShare: 0.8, startGpu: 'ok' });
    await told.press('Bid Again…');
    await editor.quickInput.waitFor('Start spot: Bid');
    assert.match(await editor.quickInput.message(), /Lowest now: \$0\.20; your bid before: \$0\.13; on demand: \$0\.25/);
    await editor.quickInput.type('0.13');
    await until('the bid to be too low', async () => /Others bid more: .* \$0\.20/.test(await editor.quickInput.message()));
    await editor.quickInput.answer('0.21');
    await (await (await editor.sidebar()).row('spot')).waitFor(/\$0\.21\/hr/, 60_000);
  });

  it('starts a spot pod without a bid where RunPod takes none, and says what is left where that is refused', async () => {
    await editor.simulator.control('POST', 'pods/spot/outbid', {});
    await editor.simulator.control('PATCH', 'settings', { graphql: 'gone', startGpu: 'refuse-409' });
    await editor.command('RunPod: Refresh Pods');
    const row = await (await editor.sidebar()).row('spot');
    await row.waitFor(/stopped/);
    await row.action('Start Pod');
    const question = await editor.dialog(/RunPod takes no bids\. Start spot without one\?/);
    assert.match(await question.text(), /RunPod then sets the price: on demand it costs \$0\.25\/hr\. Its bid before was \$0\.21 per GPU/);
    await question.press('Start Without a Bid');
    const refused = await editor.notification(/RunPod would not start spot: “There are not enough free GPUs on the host machine.*” Nearest on demand: .*A4000 at \$0\.25\/hr/);
    assert.deepEqual(await refused.buttons(), ['Keep Trying', 'Open Console']);
    await editor.screenshot('spot-refused');
  });

  async function askForSpot(): Promise<void> {
    await editor.command('RunPod: New Spot Pod…');
    await editor.quickInput.answer('spot');
    await editor.quickInput.waitFor('New Spot Pod (2/5)');
    await until('prices', async () => (await editor.quickInput.items()).some((i) => /\/hr/.test(i.description)));
    await editor.quickInput.type('a4000');
    await editor.quickInput.choose(/^RTX A4000 /);
    await editor.quickInput.choose('20 GB volume');
    await editor.quickInput.waitFor('New Spot Pod (4/5)');
    await editor.quickInput.accept();
    await editor.quickInput.choose(/^4 h, then stop/);
  }
});
