import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { click, until, untilReads, useEditor, type Editor } from './editor';

/** The Cost panel's page, inside the two frames that the editor puts around it. */
async function costPage(editor: Editor): Promise<Frame> {
  return until('the Cost panel', async () => {
    for (const frame of editor.page.frames()) if ((await frame.locator('main h1', { hasText: 'RunPod Costs' }).count().catch(() => 0)) > 0) return frame;
    return undefined;
  });
}

describe('what pods cost', () => {
  const editor = useEditor({ size: { width: 1280, height: 1000 } });

  it('is in the status bar with balance, session and today', async () => {
    await editor.sidebar();
    await editor.statusItem(/2 pods running/);
    const { page } = editor;
    const text = await untilReads('the tooltip', async () => {
      // Away and back: it tells what was known when it opened.
      await page.mouse.move(640, 500);
      await page.locator('.part.statusbar .statusbar-item', { hasText: '/hr' }).first().hover({ timeout: 5000 });
      const hover = page.locator('.monaco-hover:visible, .workbench-hover:visible', { hasText: 'Spent this session' });
      await hover.waitFor({ timeout: 5000 });
      return hover.innerText({ timeout: 1000 });
    }, /today: ~\$\d[^]*Balance: \$18\.\d\d|Balance: \$18\.\d\d[^]*today: ~\$\d/);
    assert.match(text, /compute, ~\$0\.\d+\/hr storage, of it ~\$0\.016\/hr for stopped pods/);
    assert.match(text, /deleted with their data at \$0: 2/);
    await editor.screenshot('ticker', { mouse: true });
    await editor.page.mouse.move(640, 500);
  });

  it('opens from the palette, with the bills, this month and its end', async () => {
    await editor.command('RunPod: Show Costs');
    const page = await costPage(editor);
    await page.getByRole('row', { name: /old-exp/ }).first().waitFor();
    await untilReads('the figures', () => page.locator('dl.figures').innerText(), /This month so far\s+\$\d+\.\d\d[^]*Month’s end\s+~\$\d+\.\d\d/);
    // A pod that was terminated lives on in the bills.
    await untilReads('the pods', () => page.getByRole('table', { name: 'Spend per pod' }).innerText(), /gone/);
    await untilReads('the storage', () => page.getByRole('table', { name: 'Storage that bills' }).innerText(), /old-exp[\s\S]*deleted[\s\S]*|datasets/);
    await page.getByRole('img', { name: /spend per day.*\$\d+\.\d\d in all/s }).waitFor();
    await page.getByRole('img', { name: /use of .* in percent/ }).waitFor();
    await editor.screenshot('costs-dark', { readme: { part: '.part.editor', height: 620 } });
  });

  it('asks the network nothing, and its policy lets nothing else run', async () => {
    const page = await costPage(editor);
    const policy = await page.locator('meta[http-equiv]').getAttribute('content');
    assert.match(policy ?? '', /^default-src 'none'; script-src 'nonce-[^']+'; base-uri 'none'; form-action 'none'$/);
    assert.equal(await page.evaluate("fetch('https://api.runpod.io/').then(() => 'answered', () => 'refused')"), 'refused');
    assert.equal(await page.evaluate("(() => { const s = document.createElement('script'); s.textContent = 'window.smuggled = 1'; document.body.append(s); return window.smuggled; })()"), undefined);
  });

  it('is worked with the keyboard alone', async () => {
    const page = await costPage(editor);
    await page.getByRole('button', { name: 'Refresh' }).focus();
    const { keyboard } = editor.page;
    const focused = (): Promise<string> => page.evaluate<string>("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.closest('label')?.textContent ?? document.activeElement?.textContent ?? ''");
    const seen: string[] = [];
    const tabTo = async (wanted: RegExp): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        await keyboard.press('Tab');
        seen.push(await focused());
        if (wanted.test(seen.at(-1) ?? '')) return;
      }
      assert.fail(`No ${String(wanted)} among ${seen.join(' | ')}`);
    };
    await tabTo(/^Bars: spend per day/);
    await keyboard.press('End');
    await until('today to be read out', async () => /Billed \$\d/.test(await page.locator('.readout').first().innerText()));
    const last = await page.locator('.readout').first().innerText();
    await keyboard.press('ArrowLeft');
    await until('the day before', async () => (await page.locator('.readout').first().innerText()) !== last);
    await editor.screenshot('costs-keyboard');
    await tabTo(/Show as a table/);
    await keyboard.press('Enter');
    await page.getByRole('table', { name: 'Spend per day' }).waitFor();
    await tabTo(/^Pod/);
    await keyboard.press('Enter');
    const heads = page.getByRole('table', { name: 'Spend per pod' }).getByRole('columnheader');
    await until('the pods to be sorted by name', async () => (await heads.first().getAttribute('aria-sort')) === 'ascending');
  });

  it('shows another span, and one pod alone', async () => {
    const page = await costPage(editor);
    await page.getByLabel('Span').selectOption('7');
    await until('seven days', async () => (await page.getByRole('table', { name: 'Spend per day' }).getByRole('row').count()) === 8);
    await page.getByLabel('Span').selectOption('30');
    await until('thirty days', async () => (await page.getByRole('table', { name: 'Spend per day' }).getByRole('row').count()) === 31);
  });

  it('shows how busy a pod is, asked for from its row', async () => {
    const pods = await editor.sidebar();
    await (await pods.row('llama-ft')).chooseFromMenu('Show Costs');
    const page = await costPage(editor);
    const samples = page.locator('section[aria-labelledby=use] tbody tr');
    const before = await samples.count();
    // Each list of pods is a point.
    await until('more points', async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      return (await samples.count()) >= before + 3;
    });
    const chart = page.getByRole('img', { name: /use of llama-ft in percent\. Now GPU \d+ %/ });
    await chart.focus();
    await editor.page.keyboard.press('End');
    await until('the last point to be read out', async () => /GPU \d+ % · GPU memory \d+ % · CPU \d+ % · Memory \d+ %/.test(await page.locator('.readout').last().innerText()));
    await editor.screenshot('costs-use');
  });

  it('is exported as a table', async () => {
    const page = await costPage(editor);
    await click('the button of the export', () => page.getByRole('button', { name: /Export as CSV/ }));
    const file = join(editor.sampleFolder, 'costs.csv');
    // The dialog proposes a name a moment after it has opened; what is typed before is lost.
    await until('the proposed name', async () => /runpod-costs-[\d-]+\.csv$/.test(await editor.quickInput.value()));
    await editor.quickInput.answer(file);
    await editor.notification(/Costs exported; rows: \d+/);
    const lines = readFileSync(file, 'utf8').split('\r\n');
    assert.match(lines[0] ?? '', /^day_utc,pod_id,pod,billed_usd/);
    assert.ok(lines.some((line) => line.includes(',llama-ft,')), lines.slice(0, 3).join('\n'));
    await editor.clearNotifications();
  });

  it('looks right in the light and in high contrast', async () => {
    for (const theme of ['light', 'contrast'] as const) {
      await editor.theme(theme);
      const page = await costPage(editor);
      await page.getByRole('row', { name: /old-exp/ }).first().waitFor();
      await editor.screenshot(`costs-${theme}`);
    }
    await editor.theme('dark');
  });
});
