import { chromium, type Browser } from 'playwright-core';
import { findBrowser } from '../../setup/browser.mjs';

/** A headless Chromium that talks to nobody but the page. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('No Chromium found: run `node test/setup/setup.mjs`.');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-proxy-server', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
}
