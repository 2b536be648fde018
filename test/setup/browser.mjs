// A Chromium to drive: the machine's own, else one that Playwright fetches into the cache.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { browserDir } from './cache.mjs';
import { root } from './root.mjs';
import { run, step, which } from './shell.mjs';

const applications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];
const fetchedPlaces = ['chrome-linux/chrome', 'chrome-linux64/chrome', 'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-mac-arm64/Chromium.app/Contents/MacOS/Chromium', 'chrome-win/chrome.exe', 'chrome-win64/chrome.exe'];

function fetched() {
  if (!existsSync(browserDir())) return undefined;
  const builds = readdirSync(browserDir()).filter((name) => name.startsWith('chromium-')).sort().reverse();
  return builds.flatMap((build) => fetchedPlaces.map((place) => join(browserDir(), build, place))).find((path) => existsSync(path));
}

/** The browser's program, or undefined. `RUNPOD_WORKSPACES_BROWSER` names another. */
export function findBrowser() {
  return process.env.RUNPOD_WORKSPACES_BROWSER
    || which('chromium') || which('google-chrome') || which('google-chrome-stable')
    || applications.find((path) => existsSync(path)) || fetched();
}

export async function installBrowser() {
  if (findBrowser() !== undefined) return;
  const withPackages = process.platform === 'linux' && process.getuid() === 0 ? ['--with-deps'] : [];
  await step('Fetching Chromium', () => run(process.execPath, [join(root, 'node_modules', 'playwright-core', 'cli.js'), 'install', ...withPackages, 'chromium'],
    { env: { ...process.env, PLAYWRIGHT_BROWSERS_PATH: browserDir() } }));
}
