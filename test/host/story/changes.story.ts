import assert from 'node:assert/strict';
import { click, until, useEditor } from './editor';

interface Volume {
  readonly name: string;
  readonly size: number;
}

describe('changing what there is', () => {
  const editor = useEditor({ folder: 'none', size: { width: 1280, height: 1000 } });
  const volumes = async (): Promise<Volume[]> => (await editor.simulator.rest<{ networkVolumes: Volume[] }>('GET', 'network-volumes')).networkVolumes;

  it('makes a network volume, grows it, and deletes it by its typed name', async () => {
    await editor.sidebar();
    await editor.command('RunPod: New Network Volume…');
    await (await editor.quickInput.waitFor('New Network Volume (1/3)')).answer('data-9');
    await editor.quickInput.choose(/^US-KS-2 .*free now/);
    await editor.quickInput.choose(/^50 GB .*a month/);
    await click('Network Volumes', () => editor.page.locator('.part.sidebar .pane-header', { hasText: 'Network Volumes' }));
    const view = editor.view('Network Volumes');
    const row = await view.row('data-9');
    await row.waitFor(/50 GB · ~\$3\.50 a month · US-KS-2/);
    await editor.screenshot('volumes');
    await row.chooseFromMenu('Grow Network Volume…');
    await (await editor.quickInput.waitFor('Grow data-9')).type('20');
    await until('the reason', async () => /above 50/.test(await editor.quickInput.message()));
    await editor.quickInput.answer('80');
    await row.waitFor(/80 GB/);
    await row.chooseFromMenu('Delete Network Volume…');
    await (await editor.quickInput.waitFor('Delete data-9')).answer('data');
    assert.ok((await volumes()).some((v) => v.name === 'data-9'), 'a wrong name deletes nothing');
    await editor.quickInput.answer('data-9');
    await view.gone('data-9');
    assert.ok(!(await volumes()).some((v) => v.name === 'data-9'));
  });

  it('says what a reset erases before it changes a running pod’s environment', async () => {
    const pods = await editor.sidebar();
    const row = await pods.row('llama-ft');
    await row.chooseFromMenu('Change Environment…');
    await editor.quickInput.choose('Add a Variable…');
    await (await editor.quickInput.waitFor('New Variable')).answer('STAGE');
    await (await editor.quickInput.waitFor('STAGE')).answer('two');
    await editor.quickInput.waitFor('Environment of llama-ft');
    await editor.quickInput.choose('Apply');
    const dialog = await editor.dialog(/Change the environment of llama-ft\?/);
    assert.match(await dialog.text(), /\/workspace is kept; everything else on it.*is erased/);
    await editor.screenshot('reset');
    await dialog.press('Change and Reset');
    await until('the variable', async () => {
      const { pods: all } = await editor.simulator.rest<{ pods: { name: string; env: Record<string, string> }[] }>('GET', 'pods');
      return all.find((p) => p.name === 'llama-ft')?.env['STAGE'] === 'two';
    });
  });

  it('renames and locks from the row', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('old-exp')).chooseFromMenu('Rename Pod…');
    await (await editor.quickInput.waitFor('Rename old-exp')).answer('older-exp');
    const row = await pods.row('older-exp');
    await row.chooseFromMenu('Lock Pod');
    await until('the lock', async () => (await editor.simulator.rest<{ pods: { name: string; locked?: boolean }[] }>('GET', 'pods')).pods.find((p) => p.name === 'older-exp')?.locked === true);
    await row.chooseFromMenu('Unlock Pod');
  });
});
