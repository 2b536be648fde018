import { existsSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../../setup/root.mjs';
import { withDeadline } from '../../../src/base/time';
import { launchBrowser } from './browser';
import { cleanEnvironment, type RunFolder } from './runFolder';
import { calmSettings, machineSettingsFile, startEditorServer } from './server';
import { stageExtension } from './stage';
import type { RunningSimulator } from './simulator';

const suiteSource = join(root, 'test', 'host', 'suite');
const suiteOutput = join(root, 'out', 'suite');

/** Bundles `test/host/suite` to `out/suite`: its index, and a file for each of its tests. */
export async function bundleSuite(only: readonly string[] = []): Promise<string> {
  const tests = readdirSync(suiteSource, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  const wanted = only.length === 0 ? tests : tests.filter((name) => only.some((part) => name.includes(part)));
  await build({
    entryPoints: ['index.ts', ...wanted].map((name) => join(suiteSource, name)),
    outdir: suiteOutput,
    outbase: suiteSource,
    bundle: true, platform: 'node', format: 'cjs', target: 'node20', sourcemap: 'inline',
    external: ['vscode'], packages: 'external', logLevel: 'warning',
  });
  writeFileSync(join(suiteOutput, 'tests.json'), JSON.stringify(wanted.map((name) => name.replace(/\.ts$/, '.js'))));
  return join(suiteOutput, 'index.js');
}

export interface SuiteRun {
  readonly simulator: RunningSimulator;
  /** Only test files whose name contains one of these. */
  readonly only?: readonly string[];
  readonly run: RunFolder;
}

/** Runs the suite in VS Code's server, opened by a headless browser. Resolves with whether all passed. */
export async function runSuiteInBrowser({ simulator, only, run }: SuiteRun): Promise<boolean> {
  const index = await bundleSuite(only);
  const extension = await stageExtension(run.dir('extension'));
  const dataDir = run.dir('data');
  run.writeJson(machineSettingsFile(dataDir), { ...calmSettings, ...simulator.settings });
  const server = await startEditorServer({
    dataDir,
    extensionsDir: run.dir('extensions'),
    port: 0,
    env: suiteEnvironment(simulator, run),
    log: run.file('server.log'),
    automation: true,
  });
  const browser = await launchBrowser();
  const stopTail = tail(run.file('suite.out'));
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const finished = new Promise<number>((resolve, reject) => {
      void page.exposeFunction('codeAutomationExit', resolve);
      void page.exposeFunction('codeAutomationLog', () => undefined);
      page.once('crash', () => reject(new Error('The page crashed.')));
      void server.child.exited.then(() => reject(new Error("VS Code's server ended.")));
    });
    const remote = `vscode-remote://127.0.0.1:${server.port}`;
    const payload = [
      ['extensionDevelopmentPath', `${remote}${extension}`],
      // The loader adds the .js itself.
      ['extensionTestsPath', `${remote}${index.replace(/\.js$/, '')}`],
      ['skipWelcome', 'true'],
    ];
    const query = new URLSearchParams({ folder: run.dir('folder'), payload: JSON.stringify(payload) });
    await page.goto(`${server.url}?${query.toString()}`);
    return (await withDeadline(finished, 15 * 60_000, 'the extension host suite')) === 0;
  } finally {
    stopTail();
    await browser.close();
    await server.child.stop();
  }
}

/** Runs the suite in the desktop editor, which is downloaded when needed. */
export async function runSuiteInElectron({ simulator, only, run }: SuiteRun): Promise<boolean> {
  const { runTests } = await import('@vscode/test-electron');
  const index = await bundleSuite(only);
  const userData = run.dir('u');
  run.writeJson(join(userData, 'User', 'settings.json'), { ...calmSettings, ...simulator.settings });
  const stopTail = tail(run.file('suite.out'));
  try {
    const code = await runTests({
      extensionDevelopmentPath: await stageExtension(run.dir('extension')),
      extensionTestsPath: index,
      extensionTestsEnv: suiteEnvironment(simulator, run),
      launchArgs: [run.dir('folder'), '--user-data-dir', userData, '--extensions-dir', run.dir('extensions'), '--disable-workspace-trust', '--skip-welcome', '--disable-telemetry',
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    });
    return code === 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return false;
  } finally {
    stopTail();
  }
}

function suiteEnvironment(simulator: RunningSimulator, run: RunFolder): NodeJS.ProcessEnv {
  return cleanEnvironment(run.dir('home'), {
    RUNPOD_API_KEY: simulator.address.apiKey,
    RUNPOD_SIMULATOR: JSON.stringify(simulator.address),
    RUNPOD_SUITE_OUTPUT: run.file('suite.out'),
    ...(process.env['RUNPOD_TEST_COUNTS'] === undefined ? {} : { RUNPOD_TEST_COUNTS: process.env['RUNPOD_TEST_COUNTS'] }),
  });
}

/** Shows a growing file on our output; the returned function shows the rest and ends it. */
function tail(file: string): () => void {
  writeFileSync(file, '', { flag: 'a' });
  const descriptor = openSync(file, 'r');
  const buffer = Buffer.alloc(64 * 1024);
  const show = (): void => {
    for (let n = readSync(descriptor, buffer); n > 0; n = readSync(descriptor, buffer)) process.stdout.write(buffer.subarray(0, n));
  };
  const timer = setInterval(show, 200);
  return () => {
    clearInterval(timer);
    if (existsSync(file)) show();
  };
}
