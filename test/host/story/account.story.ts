import assert from 'node:assert/strict';
import { click, until, useEditor } from './editor';

describe('an account without a key', () => {
  const editor = useEditor({ key: 'none', folder: 'none' });

  it('is asked for one, refuses a wrong one with the reason, and takes the right one', async () => {
    await editor.sidebar();
    await until('the welcome text', async () => /secret storage/.test(await editor.sidebarText()));
    await editor.screenshot('welcome');
    await editor.welcomeButton('Set API Key');
    await editor.quickInput.answer('rpa_wrong');
    const refused = await editor.notification(/refused the API key/);
    await refused.press('Set API Key');
    await editor.quickInput.answer(editor.simulator.address.apiKey);
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).waitFor(/\$0\.69\/hr/);
  });

  it('gets another account by its name, which a window can leave again and forget', async () => {
    const { apiKey } = await editor.simulator.control<{ apiKey: string }>('POST', 'keys', {});
    await editor.command('RunPod: Switch Account…');
    await editor.quickInput.choose('Add an Account…');
    await editor.quickInput.answer('team');
    await editor.quickInput.waitFor('Set API Key');
    await editor.quickInput.answer(apiKey);
    await editor.statusItem(/uses the RunPod account team/);
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).waitFor(/\$0\.69\/hr/);
    await pods.waitFor(/\$\d+\.\d\d left team · ~\d+h at/);
    await editor.command('RunPod: Switch Account…');
    await editor.quickInput.waitFor('RunPod Account of This Window');
    await editor.screenshot('accounts');
    await editor.quickInput.choose('Key without a Name');
    await editor.statusItem(/uses the key without a name/);
    await pods.waitFor(/left key without a name · ~\d+h at/);
    await editor.command('RunPod: Switch Account…');
    const team = editor.page.locator('.quick-input-list .monaco-list-row', { hasText: 'team' });
    await click('Forget This Key', async () => {
      await team.hover({ timeout: 5000 });
      return team.getByRole('button', { name: 'Forget This Key' });
    });
    await until('the key to be forgotten', async () => !(await editor.quickInput.items()).some((i) => i.label === 'team'));
    await editor.quickInput.cancel();
    await (await (await editor.sidebar()).row('llama-ft')).waitFor(/\$0\.69\/hr/);
  });

  it('keeps the last list, greyed and dated, when RunPod cannot be reached', async () => {
    await editor.simulator.stop();
    await editor.command('RunPod: Refresh Pods');
    await until('the message', async () => /Last seen .* ago/.test(await editor.sidebarText()));
    const pods = await editor.sidebar();
    assert.match(await pods.text(), /llama-ft/);
    // Grey, so that nobody takes an old state for the present one.
    await until('greyed rows', async () => (await editor.page.locator('.part.sidebar .codicon-circle-filled').first().evaluate('e => getComputedStyle(e).color')) !== 'rgb(115, 201, 145)');
    await editor.screenshot('offline');
  });

  it('signs out', async () => {
    await editor.command('RunPod: Sign Out');
    await until('the welcome text', async () => /secret storage/.test(await editor.sidebarText()));
  });
});
