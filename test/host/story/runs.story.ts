import assert from 'node:assert/strict';
import { until, useEditor } from './editor';

interface Listed {
  readonly pods: { readonly id: string; readonly name: string }[];
}

describe('a run that outlives its window', () => {
  const editor = useEditor({ folder: 'none', size: { width: 1280, height: 1000 } });
  let folder: { uri: string };
  const onPod = (script: string): Promise<unknown> => editor.simulator.control('POST', 'pods/llama-ft/exec', { argv: ['sh', '-c', script] });
  const steps = (): Promise<string> => editor.terminal.text();
  const lastStep = async (): Promise<number> => Number(/step (\d+)\s*$/.exec(await steps().catch(() => ''))?.[1] ?? -1);

  before(async () => {
    const pod = (await editor.simulator.rest<Listed>('GET', 'pods')).pods.find(({ name }) => name === 'llama-ft');
    folder = { uri: `runpod://${pod?.id}/workspace` };
    await editor.open(folder);
    const train = await editor.openFile('train.py');
    // It stays at its fourth step until it is let go: what came before must not have left the screen when it is looked at.
    await train.replaceWith('import os, time\ntry:\n    for step in range(600):\n        print(f"step {step}", flush=True)\n        time.sleep(0.2)\n        while step == 3 and not os.path.exists("go"): time.sleep(0.1)\nexcept KeyboardInterrupt:\n    print("interrupted at", step)\n    raise SystemExit(9)\n');
    await train.save();
  });

  it('runs a file and shows the run under its pod', async () => {
    await editor.textEditor.titleAction('Run on RunPod');
    await editor.terminal.waitFor(/^Python 3\.\d+\.\d+, \/usr\/.*^step 3$/ms);
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).expand();
    const run = await pods.row('train.py');
    await run.waitFor(/running \d+/);
    await editor.resize(924, 620);
    await editor.screenshot('runs', { readme: true });
    await editor.resize(1280, 1000);
    await onPod('touch /workspace/go');
  });

  it('is there again, with all it has printed, when the window opens again', async () => {
    const before = await lastStep();
    await editor.open('none');
    await editor.open(folder);
    await until('further steps', async () => (await lastStep()) > before + 5);
    const shown = (await steps()).match(/^step \d+$/gm) ?? [];
    const first = Number(shown[0]?.slice(5));
    assert.deepEqual(shown, shown.map((_, i) => `step ${first + i}`), 'every step once');
  });

  it('goes on when its terminal is closed, says so, and is shown again from its row', async () => {
    await editor.command('Terminal: Kill the Active Terminal Instance');
    const message = await editor.notification(/train\.py goes on running on llama-ft/);
    assert.deepEqual(await message.buttons(), ['Stop Run', 'Show Again']);
    await editor.clearNotifications();
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).expand();
    await (await pods.row('llama-ft')).chooseFromMenu('Stop Pod…');
    const question = await editor.dialog(/Stop llama-ft\? What runs on it ends: train\.py\./);
    await question.press('Cancel');
    await (await pods.row('train.py')).chooseFromMenu('Show Run in Terminal');
    await editor.terminal.waitFor(/^step \d+$/m);
  });

  it('is reached by Ctrl-C, and tells its exit code', async () => {
    await editor.terminal.press('Control+c');
    await editor.terminal.waitFor(/interrupted at \d+\s+Finished with exit code 9/);
    const pods = await editor.sidebar();
    await (await pods.row('train.py')).waitFor(/exit code 9/);
  });

  it('runs again, is stopped from its row, and two runs are compared', async () => {
    const pods = await editor.sidebar();
    await onPod('rm /workspace/go');
    await (await pods.row('train.py')).action('Run Again');
    await editor.terminal.waitFor(/^step 3$/m);
    const row = await until('the new run', async () => {
      const first = await pods.row(/train\.py.*running/).catch(() => undefined);
      return first ?? false;
    });
    await row.action('Stop Run');
    await editor.terminal.waitFor(/Finished with exit code \d+/);
    await (await pods.row(/train\.py/)).chooseFromMenu('Compare Output of Runs…');
    await editor.quickInput.waitFor(/Compare train\.py/);
    await editor.quickInput.choose(/./);
    await editor.page.locator('.monaco-diff-editor').first().waitFor();
    await editor.screenshot('runs-compared');
  });

  it('has links in its traceback to the right line of the right file', async () => {
    const files = `mkdir -p '/workspace/my lib' && cd /workspace && printf 'def fail():\\n    raise ValueError("no")\\n' >'my lib/helper.py' && printf 'import sys\\nsys.path.append("my lib")\\nimport helper\\nhelper.fail()\\n' >broken.py`;
    await onPod(files);
    await editor.command('RunPod: Run Command on Pod…');
    await editor.quickInput.answer('python3 broken.py');
    await editor.terminal.waitFor(/ValueError: no/);
    const tabs = async (): Promise<string[]> => editor.textEditor.tabs();
    await editor.terminal.follow('my lib/helper.py', async () => (await tabs()).some((name) => name.startsWith('helper.py')));
    await editor.statusItem(/Ln 2, Col 1/);
    await editor.textEditor.waitFor('helper.py');
    await editor.textEditor.shows(/raise ValueError/);
  });

  it('that took long tells how it ended, and what may become of the pod', async () => {
    editor.settings({ 'runpod.run.tellAfterSeconds': 1 });
    await editor.clearNotifications();
    await editor.command('RunPod: Run Command on Pod…');
    await editor.quickInput.answer('sleep 2; echo loss 0.25; exit 3');
    const message = await editor.notification(/ended after \d+ s: exit code 3.*loss 0\.25.*goes on at \$0\.69\/hr/);
    assert.deepEqual(await message.buttons(), ['Show Output', 'Stop Pod', 'Terminate Pod…', 'Keep Pod']);
    await editor.screenshot('run-ended');
    await message.press('Keep Pod');
  });

  it('that took long has its pod stopped where the folder’s profile says so and that is agreed to', async () => {
    await onPod(`echo '{ "gpu": "L4", "afterRun": "stop" }' >/workspace/runpod.json`);
    await editor.clearNotifications();
    await editor.command('RunPod: Run Command on Pod…');
    await editor.quickInput.answer('sleep 3; echo loss 0.12');
    await (await editor.notification(/runpod\.json of .* has pods stopped after long runs, llama-ft among them/)).press('Stop Pods After Runs');
    const message = await editor.notification(/ended \(exit code 0\)\. llama-ft is stopped in \d+ s\..*loss 0\.12/);
    assert.deepEqual(await message.buttons(), ['Keep Pod']);
    await editor.screenshot('run-ended-by-profile');
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).waitFor(/stopped/);
  });
});
