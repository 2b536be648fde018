import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { click, until, useEditor, type Editor } from './editor';

/** The plan's page, inside the two frames that the editor puts around it. */
async function planPage(editor: Editor, title: string): Promise<Frame> {
  return until(`the plan of ${title}`, async () => {
    for (const frame of editor.page.frames()) if ((await frame.locator('main h1', { hasText: `Plan: ${title}` }).count().catch(() => 0)) > 0) return frame;
    return undefined;
  });
}

const profiles = `{
  // two pods of one folder
  "image": "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
  "env": { "WHO": "\${env:STORY_NAME}" },
  "profiles": {
    "train": {
      "gpu": ["H100 NVL", "RTX 4090", "≥ 24 GB under $0.60"], "cloud": ["SECURE", "COMMUNITY"],
      "volume": 100, "ports": ["8888/http"], "maxPricePerHour": 0.7
    },
    "prep": { "cpu": "cpu3c-2-4", "image": "runpod/base:1.0.2-ubuntu2404", "env": { "WHO": "nobody" }, "setup": "echo begun >> begun; until [ -e go ]; do sleep 0.2; done" }
  }
}
`;

describe('a folder’s profiles', () => {
  const editor = useEditor({ env: { STORY_NAME: 'sdxl-team' }, size: { width: 1280, height: 1000 } });
  const file = (): string => join(editor.sampleFolder, 'runpod.json');

  it('begin as a file that says what it is', async () => {
    await editor.command('RunPod: Create runpod.json');
    await until('the file', () => readFileSync(file(), 'utf8').includes('"gpu"'));
    // It takes the focus when it opens, also from a palette.
    await editor.textEditor.waitFor('runpod.json');
  });

  it('are told what is wrong with them, at the place, with what is permitted', async () => {
    writeFileSync(file(), '{ "gpu": "L4", "image": "a", "templateId": "b" }\n');
    await editor.command('Problems: Focus on Problems View');
    const problems = editor.page.locator('.markers-panel');
    await until('the problem', async () => /templateId cannot stand beside image/.test(await problems.innerText()));
    writeFileSync(file(), '{ "gpu": "RTX 4900", "cloud": "secure" }\n');
    await until('the schema’s word', async () => /"SECURE", "COMMUNITY"/.test(await problems.innerText()));
    writeFileSync(file(), '{ "gpu": "RTX 4900" }\n');
    await until('it to be taken', async () => !/SECURE/.test(await problems.innerText()));
    await editor.command('RunPod: Plan Pod from This Folder');
    await until('the catalog’s word', async () => /nothing called "RTX 4900"\. Near it: RTX 4090/.test(await problems.innerText()));
  });

  it('have a plan: candidates with price and stock, what it costs, and the request', async () => {
    writeFileSync(file(), profiles);
    await editor.command('RunPod: Plan Pod from This Folder');
    await editor.quickInput.choose('train');
    const page = await planPage(editor, 'train');
    await editor.page.keyboard.press('Control+j');
    const text = await page.locator('main').innerText();
    assert.match(text, /Nothing has been bought/);
    assert.match(text, /1\s+RTX 4090\s+24 GB\s+Secure\s+\$0\.69\/hr/);
    assert.match(text, /H100 NVL[^\n]*not asked for: above maxPricePerHour/);
    assert.match(text, /STORY_NAME of the environment, as WHO/);
    assert.match(text, /"WHO": "\$\{env:STORY_NAME\}"/, 'the value itself stays here');
    assert.doesNotMatch(text, /sdxl-team/);
    await editor.screenshot('plan', { readme: { part: '.part.editor', height: 720 } });
    await click('Copy', () => page.locator('#copy'));
    await until('the request on the clipboard', async () => (JSON.parse((await editor.clipboard()) || '{}') as { disk?: number }).disk === 50);
  });

  it('create nothing before it is agreed, by name, to what leaves this machine', async () => {
    const page = await planPage(editor, 'train');
    await click('Create', () => page.locator('#create'));
    const dialog = await editor.dialog(/Send STORY_NAME from this machine to the pod\?/);
    await editor.screenshot('consent');
    await dialog.press('Cancel');
    const names = async (): Promise<string[]> => (await editor.simulator.rest<{ pods: { name: string }[] }>('GET', 'pods')).pods.map((p) => p.name);
    assert.ok(!(await names()).includes('train'));
    await click('Create', () => page.locator('#create'));
    // Nothing is free just then: it is made as soon as something is, as it was agreed to.
    await editor.simulator.control('PATCH', 'settings', { shortages: [{}] });
    await (await editor.dialog(/Send STORY_NAME/)).press('Send to the Pod');
    await (await editor.notification(/No RTX 4090.* free right now/)).press('Watch');
    await editor.quickInput.choose('Create train as Soon as One Is Free');
    await editor.statusItem(/watching for RTX 4090/);
    await editor.simulator.control('PATCH', 'settings', { shortages: [] });
    await editor.notification(/train is ready/, 200_000);
    const { pods } = await editor.simulator.rest<{ pods: { name: string; env: Record<string, string>; gpu: { id: string } }[] }>('GET', 'pods');
    const pod = pods.find((p) => p.name === 'train');
    assert.equal(pod?.env['WHO'], 'sdxl-team');
    assert.equal(pod?.gpu.id, 'NVIDIA GeForce RTX 4090');
  });

  it('come first in New Pod', async () => {
    await editor.clearNotifications();
    // Time to press Cancel in, on any machine.
    await editor.simulator.control('PATCH', 'settings', { timings: { pullMs: 12_000 } });
    await editor.command('RunPod: New Pod…');
    await editor.quickInput.choose(/prep .*cpu3c-2-4/);
    await editor.quickInput.choose('Create prep');
    await editor.view('New Pod from This Folder').waitFor(/Create Pod/);
  });

  it('ask what becomes of the pod when the wait for it is cancelled, and go on with it from their row', async () => {
    const wait = await editor.notification(/prep.*(finding|pulling|starting|waiting)/s);
    await wait.press('Cancel');
    const dialog = await editor.dialog(/prep exists and costs \$0\.\d\d.*What is to become of it\?/s);
    await editor.screenshot('launch-cancelled');
    await dialog.press('Keep prep');
    await editor.simulator.control('PATCH', 'settings', { timings: { pullMs: 3500 } });
    const row = await editor.view('New Pod from This Folder').row('prep');
    await row.waitFor(/stopped/);
    await row.action('Resume New Pod from This Folder');
  });

  it('have their way shown step by step, and go on with the same pod when the window was closed on it', async () => {
    const steps = editor.view('New Pod from This Folder');
    await steps.waitFor(/Send Folder.*\/root\/sample/s, 200_000);
    await editor.terminal.waitFor(/echo begun/);
    await editor.screenshot('launch');
    await editor.reload();
    await editor.sidebar();
    const interrupted = await editor.notification(/interrupted at “Send Folder”.*prep exists and costs \$0\.\d\d/s);
    writeFileSync(join(editor.sampleFolder, 'go'), '');
    await interrupted.press('Resume');
    await editor.notification(/prep is ready, this folder is on it, it is set up/, 200_000);
    await editor.terminal.type('wc -l < begun');
    await editor.terminal.press('Enter');
    await editor.terminal.waitFor(/^1$/m);
    const { pods } = await editor.simulator.rest<{ pods: { name: string }[] }>('GET', 'pods');
    assert.equal(pods.filter((p) => p.name.startsWith('prep') && p.name !== 'prep-cpu').length, 1);
  });
});
