import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { click, until, useEditor } from './editor';

describe('files to and from a pod', () => {
  const editor = useEditor({ folder: 'none' });

  it('are uploaded by dropping them onto the pod’s row', async () => {
    const pods = await editor.sidebar();
    const row = await pods.row('llama-ft');
    await row.waitFor(/\$0\.\d\d\/hr/);
    const target = pods.root.locator('.monaco-list-row', { hasText: 'llama-ft' }).first();
    // What a file manager hands over: content with a name.
    const data = await editor.page.evaluateHandle(`{
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(12_000_000)], 'weights.pt'));
      transfer;
    }`);
    for (const type of ['dragenter', 'dragover', 'drop']) await target.dispatchEvent(type, { dataTransfer: data });
    const done = await editor.notification(/Uploaded to llama-ft:\/workspace: files: 1, 12 MB/);
    assert.match(await done.text(), /Checked by size and SHA-256/);
    await editor.screenshot('uploaded');
    await editor.clearNotifications();
  });

  it('show what takes the room on the volume, when asked, with its age', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).expand();
    const storage = await pods.row('/workspace');
    await storage.waitFor(/^\/workspace 100 GB volume/);
    await storage.action('Measure Disk Use');
    await editor.quickInput.waitFor(/\/workspace on llama-ft: \d/);
    await until('what takes room', async () => (await editor.quickInput.items()).some(({ label }) => /weights\.pt/.test(label)));
    await editor.screenshot('disk-use');
    await editor.quickInput.cancel();
    await storage.waitFor(/\d MB used.* ago · 100 GB volume/);
  });

  /** What the editor says in the place of a file that it does not show. */
  const inPlace = (what: RegExp): Promise<boolean> =>
    until(`${what} in the file’s place`, async () => (await editor.page.locator('.monaco-editor-pane-placeholder').allInnerTexts()).some((text) => what.test(text)));

  it('are not pulled into the editor by a click when they are big, and are downloaded instead', async () => {
    await (await (await editor.sidebar()).row('llama-ft')).action('Open Remote Workspace');
    const explorer = await editor.explorer();
    const file = await explorer.row('weights.pt');
    await file.click();
    await inPlace(/very large/);
    const offer = await editor.notification(/weights\.pt \(12 MB\) is not pulled into the editor unasked/);
    assert.deepEqual((await offer.buttons()).sort(), ['Download…', 'Open Anyway']);
    assert.equal(await editor.page.locator('.monaco-dialog-box').count(), 0);
    await editor.screenshot('big-file');
    const folder = join(editor.home, 'downloads');
    mkdirSync(folder, { recursive: true });
    await offer.press('Download…');
    await editor.quickInput.waitFor(/Download to/);
    // The picker writes its proposal when it has looked; what is typed before would be gone.
    await until('the folder that it proposes', async () => /Downloads$/.test(await editor.page.locator('.quick-input-widget input.input:visible').first().inputValue()));
    await editor.quickInput.type(`${folder}/`);
    await click('Download Here', () => editor.page.getByRole('button', { name: 'Download Here' }));
    await editor.notification(/Downloaded to .*12 MB/);
    assert.deepEqual(await editor.textEditor.tabs(), []);
    assert.equal(readFileSync(join(folder, 'weights.pt')).length, 12_000_000);
    await editor.clearNotifications();
  });

  it('open anyway when the person says so, and are asked about once more', async () => {
    await (await (await editor.explorer()).row('weights.pt')).click();
    await inPlace(/very large/);
    const anyway = editor.page.locator('.monaco-editor-pane-placeholder').getByRole('button', { name: 'Open Anyway' });
    await click('Open Anyway', () => anyway);
    await (await editor.dialog(/Open weights\.pt \(12 MB\) in the editor\?/)).press('Cancel');
    await inPlace(/very large/);
    await click('Open Anyway', () => anyway);
    await (await editor.dialog(/Open weights\.pt/)).press('Open Anyway');
    await inPlace(/binary/);
    await editor.clearNotifications();
  });

  it('are reached from any terminal after one line in the SSH configuration', async () => {
    const config = join(editor.home, '.ssh', 'config');
    mkdirSync(join(config, '..'), { recursive: true });
    writeFileSync(config, 'Host elsewhere\n  Port 2222\n');
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).chooseFromMenu('Reopen in Remote-SSH');
    const dialog = await editor.dialog(/Add one line to .*\.ssh\/config\?/);
    assert.match(await dialog.text(), /Include runpod-workspaces\/config/);
    await editor.screenshot('ssh-config');
    await dialog.press('Add the Line');
    await editor.notification(/“ssh runpod-llama-ft” works in any terminal/);
    assert.equal(readFileSync(config, 'utf8'), 'Include runpod-workspaces/config\n\nHost elsewhere\n  Port 2222\n');
    const ours = readFileSync(join(editor.home, '.ssh', 'runpod-workspaces', 'config'), 'utf8');
    assert.match(ours, /Host runpod-llama-ft /);
    assert.doesNotMatch(ours, /StrictHostKeyChecking (no|accept)/);
    await editor.clearNotifications();
    await editor.command('RunPod: Remove Pods from SSH Config');
    await until('the line to be gone', async () => readFileSync(config, 'utf8') === 'Host elsewhere\n  Port 2222\n' && !existsSync(join(editor.home, '.ssh', 'runpod-workspaces')));
  });

  it('of several folders of one pod at once, read-only if wanted, and lead back to its row', async () => {
    const workspaceFile = join(editor.sampleFolder, 'several.code-workspace');
    writeFileSync(workspaceFile, JSON.stringify({ folders: [] }));
    await editor.open({ workspace: workspaceFile });
    await (await (await editor.sidebar()).row('llama-ft')).action('Open Remote Workspace');
    await (await editor.explorer()).waitFor(/^llama-ft$/m);
    await (await (await editor.sidebar()).row('llama-ft')).chooseFromMenu('Open Folder on Pod…');
    await editor.quickInput.answer('/root');
    await (await editor.explorer()).waitFor(/^llama-ft: \/root$/m);
    await (await (await editor.sidebar()).row('llama-ft')).chooseFromMenu('Open Read-Only');
    const explorer = await editor.explorer();
    await explorer.waitFor(/^llama-ft$[^]*^llama-ft: \/root$[^]*^llama-ft \(read-only\)$/m);
    for (const root of ['llama-ft', 'llama-ft: /root']) await (await explorer.row(root)).expand();
    await explorer.waitFor(/^llama-ft$[^]*weights\.pt[^]*^llama-ft: \/root$/m);
    // What changes is shown in each.
    await editor.simulator.control('POST', 'pods/llama-ft/exec', { argv: ['sh', '-c', 'touch /workspace/0-there /root/0-here'] });
    await explorer.waitFor(/^llama-ft$[^]*0-there[^]*^llama-ft: \/root$[^]*0-here/m);
    await editor.screenshot('folders');
    await (await explorer.row('0-here')).chooseFromMenu('Reveal in Pods');
    await editor.view('Pods').waitFor(/llama-ft[^]*Connection/);
  });
});
