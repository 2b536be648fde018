import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { untilReads, useEditor } from './editor';

describe('a window with the extension', () => {
  const editor = useEditor();

  it('has the extension running', async () => {
    // Tall enough for the whole list: rows out of sight are not there.
    await editor.resize(1280, 1600);
    await editor.command('Developer: Show Running Extensions');
    const ours = editor.page.locator('.runtime-extensions-editor .extension', { hasText: 'RunPod Workspaces' });
    await untilReads('the extension', () => ours.innerText(), /Activation/);
    await editor.command('View: Close All Editors');
    await editor.resize(1280, 800);
  });

  it('edits and saves a file of the sample project', async () => {
    const train = await editor.openFile('train.py');
    await train.shows(/STEPS = 5/);
    const text = 'def answer():\n    return 6 * 7\n\nprint(answer())\n';
    await train.replaceWith(text);
    await train.save();
    assert.equal(readFileSync(join(editor.sampleFolder, 'train.py'), 'utf8'), text);
  });

  it('reads what a terminal shows', async () => {
    await editor.command('Terminal: Create New Terminal');
    await editor.terminal.waitFor(/[$#] *$/);
    await editor.terminal.type('python3 train.py\n');
    await editor.terminal.waitFor(/^42$/m);
  });

  it('looks right in every theme and survives a reload', async () => {
    for (const theme of ['light', 'contrast', 'dark'] as const) {
      await editor.theme(theme);
      await editor.screenshot(`window-${theme}`);
    }
    await editor.reload();
    const explorer = await editor.explorer();
    assert.match(await explorer.waitFor(/train\.py/), /README\.md/);
  });

  it('says why there is no list of pods, and what to do about it', async () => {
    await editor.simulator.stop();
    await editor.reload();
    const pods = await editor.sidebar();
    await pods.waitFor(/^Try Again\nShow Log$/, 60_000);
    await untilReads('the message', () => editor.sidebarText(), /RunPod cannot be reached.*Trying again in \d+ s\./);
    await (await pods.row('Show Log')).click();
    await editor.output(/ECONNREFUSED|cannot be reached/);
  });
});
