import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManyPods } from '../../bench/manyPods';
import { msToPaint } from '../driver/paint';
import { until, untilReads, useEditor } from './editor';

/** Names and prices that lists must bear. */
const ODD: Readonly<Record<number, object>> = {
  0: { name: '$(sync~spin) **bold** [link](https://example.com)\n| cell', cost: null },
  1: { name: 'a-very-long-name-that-somebody-gave-to-a-pod-because-nothing-forbids-it', cost: 2.39, gpu: { id: 'NVIDIA H100 80GB HBM3', count: 8 } },
};

describe('an account without pods', () => {
  const editor = useEditor({ simulator: ['--empty'], askForTrust: true });

  it('is not spent from by a folder that nobody trusts', async () => {
    writeFileSync(join(editor.sampleFolder, 'runpod.json'), '{ "cpu": "cpu3c-2-4", "image": "runpod/base:1.0.2-ubuntu2404" }\n');
    await editor.statusItem(/Restricted Mode/);
    // Making one by hand is no deed of the folder's, whose profile is not even offered.
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.waitFor('New Pod (1/5)');
    await editor.screenshot('untrusted');
    await editor.quickInput.cancel();
    await editor.page.keyboard.press('F1');
    await editor.quickInput.type('>RunPod: ');
    const offered = await until('the commands', async () => (await editor.quickInput.items()).map(({ label }) => label).find((label) => /Doctor/.test(label)) && editor.quickInput.items());
    assert.deepEqual(offered.filter(({ label }) => /This Folder/.test(label)), []);
    await editor.quickInput.cancel();
  });

  it('says so and offers a new one; nothing in the status bar', async () => {
    await editor.sidebar();
    await until('the welcome text', async () => /No pods\./.test(await editor.sidebarText()));
    await untilReads('the title', () => editor.page.locator('.part.sidebar .pane-header', { hasText: 'Pods' }).first().innerText(), /\$18\.42 left/);
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
    const offer = await editor.notification(/old-exp is stopped/);
    await editor.screenshot('stopped-folder');
    await editor.simulator.control('PATCH', 'settings', { volumeQuotaBytes: 64_000_000 });
    await offer.press('Start Pod');
    const explorer = await editor.explorer();
    await explorer.waitFor(/\w+\.(py|md|txt)|outputs|checkpoints|notes/, 200_000);
    await editor.screenshot('started-folder');
  });

  it('warns before its volume is full', async () => {
    await editor.simulator.control('POST', 'pods/old-exp/fill', { disk: 'volume', freeBytes: 0 });
    await editor.sidebar();
    const pods = editor.view('Pods');
    await (await pods.row('old-exp')).expand();
    await (await pods.row('/workspace')).action('Measure Disk Use');
    const warning = await editor.notification(/\/workspace on old-exp is nearly full: .* left/);
    assert.deepEqual(await warning.buttons(), ['What Takes the Room?']);
    await editor.screenshot('nearly-full');
    await editor.quickInput.cancel();
  });
});

describe('a thousand pods', () => {
  let account: ManyPods;
  const settings: Record<string, unknown> = { 'runpod.api.graphqlUrl': '' };
  before(async () => {
    // Without addresses: nobody is to knock at seven hundred of them.
    account = await ManyPods.start(1_000, { reachable: false, change: (i) => ODD[i] ?? {} });
    settings['runpod.api.restUrl'] = account.restUrl;
  });
  after(() => account.close());
  const editor = useEditor({ folder: 'none', simulator: false, settings, env: { RUNPOD_API_KEY: 'rpa_MANY' }, size: { width: 1000, height: 900 }, theme: 'contrast' });

  it('are listed, dearest first, in a narrow sidebar and every theme, whatever their names', async () => {
    const pods = await editor.sidebar();
    await pods.waitFor(/llama-ft/);
    const [first, second] = await pods.rows();
    assert.match((await first?.text()) ?? '', /^\$\(sync~spin\) \*\*bol…m\).*cell rate unknown/);
    // Shortened, so that its price can be read; aloud it is whole.
    assert.match((await second?.text()) ?? '', /^a-very-long-name-t…orbids-it \$2\.39\/hr/);
    assert.match((await second?.spoken()) ?? '', /^a-very-long-name-that-somebody-gave-to-a-pod-because-nothing-forbids-it, running/);
    assert.match(await pods.text(), /llama-ft-9 [\s\S]*llama-ft-10 /);
    await editor.screenshot('many-contrast');
    for (const theme of ['contrastLight', 'light'] as const) {
      await editor.theme(theme);
      await editor.screenshot(`many-${theme}`);
    }
  });

  it('show their names as they are in a list to choose from', async () => {
    await editor.command('RunPod: Set Active Pod');
    await editor.quickInput.type('sync~spin');
    const [odd] = await until('the one', async () => (await editor.quickInput.items()).length === 1 && editor.quickInput.items());
    assert.match(odd?.label.replaceAll('\u200c', '') ?? '', /^\$\(sync~spin\) \*\*bold/);
    assert.equal(await editor.quickInput.widget.locator('.quick-input-list .codicon-sync').count(), 0);
    await editor.quickInput.cancel();
  });

  it('can be painted anew within five times the 200 ms that are wanted', async () => {
    // What else the machine does only adds to it, so the quickest counts; `npm run bench` measures properly.
    let least = Infinity;
    for (let round = 0; round < 3 || (least > 5 * 200 && round < 30); round++) least = Math.min(least, await msToPaint(editor.page, `$${account.turn().toFixed(2)}/hr`));
    assert.ok(least < 5 * 200, `${least.toFixed(0)} ms`);
  });
});
