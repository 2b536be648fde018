import { chromium, type Browser, type Page } from 'playwright-core';
import { findBrowser } from '../../setup/browser.mjs';

/** A headless Chromium that talks to nobody but the page. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('No Chromium found: run `node test/setup/setup.mjs`.');
  return chromium.launch({
    executablePath,
    timeout: 120_000,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-proxy-server', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
}

/** `RUNPOD_SLOW_WINDOW=4` gives the window a fourth of the machine's speed: what passes then does not depend on a quick machine. */
export async function slowedDown(page: Page): Promise<Page> {
  const rate = Number(process.env['RUNPOD_SLOW_WINDOW'] ?? 1);
  if (rate > 1) await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate });
  return page;
}
