// Makes a fresh machine ready. `node test/setup/setup.mjs` does all of it.
import { mkdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { installBrowser } from './browser.mjs';
import { cacheDir, hasServer } from './cache.mjs';
import { installDependencies } from './dependencies.mjs';
import { installEditorServer } from './editor-server.mjs';
import { SetupError } from './shell.mjs';
import { installSystemPackages } from './system.mjs';

/**
 * @param {{ simulator?: boolean, server?: boolean, browser?: boolean }} needs what to make ready besides the npm packages:
 * RunPod on this machine, VS Code's server, a browser to drive
 */
export async function setUp({ simulator = false, server = false, browser = false } = {}) {
  if (Number(process.versions.node.split('.')[0]) < 20) throw new SetupError(`Node 20 or newer is needed; this is ${process.version}. See https://nodejs.org/en/download`);
  mkdirSync(cacheDir(), { recursive: true });
  const buildsServer = server && !hasServer();
  await installSystemPackages([...(simulator ? ['simulator'] : []), ...(buildsServer ? ['server'] : []), ...(browser ? ['browser'] : [])]);
  await installDependencies();
  if (server) await installEditorServer();
  if (browser) await installBrowser();
}

/** Runs a script's main function; a problem its reader can solve is told without a stack. Resolves with whether it went well. */
export async function main(work) {
  try {
    await work();
    return true;
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    process.exitCode = 1;
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(() => setUp({ simulator: true, server: true, browser: true }));
