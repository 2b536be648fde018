import assert from 'node:assert/strict';
import { Tree } from '../driver/tree';
import { click, untilReads, useEditor } from './editor';

interface Listed {
  readonly pods: { readonly id: string; readonly name: string }[];
}

describe('searching a pod, as a person does it', () => {
  const editor = useEditor({ folder: 'none' });

  const panel = () => editor.page.locator('.part.panel');
  const found = () => new Tree(editor.page, panel());
  const summary = async () => (await panel().locator('.message:visible').allInnerTexts()).join(' ');

  it('finds text in the folder that is open, with counts and the lines', async () => {
    const id = (await editor.simulator.rest<Listed>('GET', 'pods')).pods.find((pod) => pod.name === 'llama-ft')?.id;
    await editor.open({ uri: `runpod://${id}/workspace` });
    const explorer = await editor.explorer();
    await explorer.waitFor(/train\.py/);
    // The editor's own search would wait for ever in such a folder.
    await editor.page.keyboard.press('Control+Shift+F');
    await editor.quickInput.waitFor(/Search on Pod · llama-ft: \/workspace/);
    await editor.quickInput.answer('epoch');
    const results = found();
    await results.waitFor(/train\.py \d+/);
    await untilReads('the summary', summary, /“epoch” in llama-ft: \/workspace · Matches: \d+, files: \d+\./);
    await editor.screenshot('search', { readme: { part: '.part.panel' } });
    await (await results.row(/for epoch in/)).click();
    await editor.textEditor.waitFor('train.py');
    // With a line chosen, the icons of the title still mean the whole.
    await click('Search on Pod…', () => panel().getByRole('button', { name: 'Search on Pod…' }).first());
    await editor.quickInput.waitFor(/Search on Pod · llama-ft: \/workspace/);
    await editor.quickInput.cancel();
  });

  it('shows every replacement before it is made, leaves out what is unchecked, and saves', async () => {
    await editor.command('RunPod: Replace in Search Results…');
    await editor.quickInput.answer('round');
    const results = found();
    await results.waitFor(/for round in/);
    await (await results.row(/for round in/)).click();
    await editor.page.locator('.tabs-container .tab', { hasText: 'what would be replaced' }).waitFor();
    await editor.page.locator('.monaco-diff-editor .modified .view-line', { hasText: 'round' }).first().waitFor();
    await editor.screenshot('replace');
    await click('the box of README.md', () => editor.page.locator('.part.panel .monaco-list-row', { hasText: 'README.md' }).locator('.custom-view-tree-node-item-checkbox'));
    await untilReads('the summary', summary, /Lines: \d+, files: 1\./);
    await editor.command('RunPod: Apply Replacements');
    await editor.statusItem(/Replaced: \d+/);
    await results.waitFor(/^README\.md 1\n/);
    await results.gone(/train\.py \d/);
  });

  it('goes to a file by a few letters of its path', async () => {
    await editor.command('RunPod: Go to File on Pod…');
    await editor.quickInput.waitFor(/files: [1-9]/);
    await editor.quickInput.type('utmod:3');
    await editor.screenshot('go-to-file');
    await editor.quickInput.choose(/model\.py/);
    await editor.textEditor.waitFor('model.py');
    await editor.statusItem(/Ln 3/);
  });

  it('brings the editor’s own comparison when somebody else has changed the file since', async () => {
    const file = await editor.openFile('train.py');
    await file.type('# mine\n');
    await editor.simulator.control('POST', 'pods/llama-ft/exec', { argv: ['sh', '-c', 'sleep 1; echo "# theirs" >> /workspace/train.py'] });
    await editor.page.keyboard.press('Control+s');
    await (await editor.notification(/train\.py.*newer/s)).press('Compare');
    await editor.page.locator('.monaco-diff-editor .original .view-line', { hasText: '# theirs' }).waitFor();
    await editor.page.locator('.monaco-diff-editor .modified .view-line', { hasText: '# mine' }).first().waitFor();
    await editor.screenshot('compare');
    await editor.command('File: Revert File');
  });

  it('shows in the Explorer what a run writes', async () => {
    const explorer = await editor.explorer();
    await explorer.waitFor(/train\.py/);
    const written = await fetch(`${editor.simulator.address.controlUrl}/pods/llama-ft/exec`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ argv: ['sh', '-c', 'mkdir -p /workspace/out2 && echo 1 > /workspace/by-a-run.csv'] }),
    });
    assert.ok(written.ok);
    await explorer.waitFor(/out2[^]*by-a-run\.csv/);
  });
});
