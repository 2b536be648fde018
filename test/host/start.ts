import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { cacheDir } from '../setup/cache.mjs';
import { root } from '../setup/root.mjs';
import { messageOf } from '../../src/base/errors';
import { isAlive } from '../../src/base/process';
import { Child } from './driver/child';
import { calmSettings, extensionFolderName, machineSettingsFile, startEditorServer } from './driver/server';
import { startSimulator, type RunningSimulator } from './driver/simulator';
import { buildExtension, stageExtension } from './driver/stage';

export interface StartOptions {
  /** The desktop editor's command; undefined: VS Code's server, in the browser. */
  readonly desktop: string | undefined;
  readonly port: number | undefined;
  readonly folder: string | undefined;
}

const usualPort = 8765;

/** Opens the editor and stays until Ctrl-C, or until the desktop editor's window is closed. */
export async function start({ desktop, port, folder }: StartOptions): Promise<void> {
  const seat = takeSeat(process.env['RUNPOD_API_KEY'] ? 'account' : 'simulated');
  const children: Child[] = [];
  let ending = false;
  const end = async (code: number): Promise<void> => {
    if (ending) return;
    ending = true;
    // The editor first: it may still have a word for the simulator.
    for (const child of children.reverse()) await child.stop();
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
  endWithNpm(() => void end(0));
  const watch = (child: Child, name: string): void => {
    children.push(child);
    void child.exited.then(() => {
      if (!ending) console.error(`${name} ended by itself; its log is ${child.options.log}`);
      return end(1);
    });
  };

  try {
    await open();
  } catch (error) {
    console.error(messageOf(error));
    await end(1);
  }

  async function open(): Promise<void> {
    await buildExtension();
    const simulator = process.env['RUNPOD_API_KEY'] ? undefined : await startSimulator(join(seat, 'simulator.log'), [], ownEnvironment());
    if (simulator !== undefined) watch(simulator.child, 'The simulator');
    if (!existsSync(join(seat, 'sample'))) cpSync(join(root, 'test', 'host', 'sample'), join(seat, 'sample'), { recursive: true });
    const opened = resolve(folder ?? join(seat, 'sample'));
    const env = { ...ownEnvironment(), ...(simulator === undefined ? {} : { RUNPOD_API_KEY: simulator.address.apiKey }) };

    if (desktop !== undefined) {
      const userData = join(seat, 'desktop');
      writeSettings(join(userData, 'User', 'settings.json'), simulator);
      const child = new Child(desktop, [
        '--wait', '--new-window', '--user-data-dir', userData, '--extensions-dir', join(seat, 'desktop-extensions'),
        '--extensionDevelopmentPath', root, '--disable-workspace-trust', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), opened,
      ], { env, log: join(seat, 'editor.log') });
      children.push(child);
      say(`the window of ${desktop}`, simulator);
      await child.exited;
      return end(0);
    }

    const extensionsDir = join(seat, 'extensions');
    await installExtension(extensionsDir);
    const dataDir = join(seat, 'data');
    writeSettings(machineSettingsFile(dataDir), simulator);
    const server = await startEditorServer({
      dataDir, extensionsDir, port: port ?? ((await isFree(usualPort)) ? usualPort : 0), env, folder: opened, log: join(seat, 'editor.log'),
    });
    watch(server.child, "VS Code's server");
    say(server.url, simulator);
  }
}

function say(where: string, simulator: RunningSimulator | undefined): void {
  console.log(`
  RunPod Workspaces runs in VS Code:  ${where}
  ${simulator === undefined ? 'Account: yours (RUNPOD_API_KEY). Pods cost real money.' : 'Account: a simulated one. Its pods run on this machine and cost nothing.'}
  Pods are behind the RunPod icon at the left, and the sample's train.py runs on one by “Run on RunPod” in its title.
  Ctrl-C ends everything.
`);
}

/**
 * A folder that keeps layout, settings and sample between starts; a second start beside the first gets another, and so
 * does each kind of account, so that nothing of the simulated one is left for the real one.
 */
function takeSeat(kind: 'account' | 'simulated'): string {
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 8);
  for (let n = 1; ; n++) {
    const seat = join(cacheDir(), 'start', `${checkout}-${kind}-${n}`);
    mkdirSync(seat, { recursive: true });
    const owner = join(seat, 'pid');
    if (existsSync(owner) && isAlive(Number(readFileSync(owner, 'utf8')))) continue;
    writeFileSync(owner, String(process.pid));
    for (const log of ['simulator.log', 'editor.log']) rmSync(join(seat, log), { force: true });
    process.once('exit', () => rmSync(owner, { force: true }));
    return seat;
  }
}

/** Puts the extension among the installed ones, in place of what an earlier start put there. */
async function installExtension(extensionsDir: string): Promise<void> {
  mkdirSync(extensionsDir, { recursive: true });
  const { publisher, name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { publisher: string; name: string };
  for (const entry of readdirSync(extensionsDir)) if (entry.startsWith(`${publisher}.${name}-`)) rmSync(join(extensionsDir, entry), { recursive: true });
  // The server's list of what is installed; without it, it looks.
  rmSync(join(extensionsDir, 'extensions.json'), { force: true });
  await stageExtension(join(extensionsDir, extensionFolderName()));
}

function writeSettings(file: string, simulator: RunningSimulator | undefined): void {
  mkdirSync(join(file, '..'), { recursive: true });
  const old = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
  writeFileSync(file, `${JSON.stringify({ ...calmSettings, ...old, ...simulator?.settings }, null, 2)}\n`);
}

/** The person's own environment, without what npm and a surrounding editor put there for themselves. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VSCODE_|ELECTRON_)/.test(name)));
}

/** npm that is killed tells its scripts nothing: watch whether it, or the shell between, goes. */
function endWithNpm(end: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const family = (): string => `${process.ppid} ${parentOf(process.ppid)}`;
  const atFirst = family();
  setInterval(() => { if (family() !== atFirst) end(); }, 1000).unref();
}

function parentOf(pid: number): string {
  try {
    return /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  } catch {
    // Not Linux: the parent alone is watched.
    return '';
  }
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
