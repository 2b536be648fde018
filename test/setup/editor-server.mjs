// VS Code's server and the Node that it runs under, both from npm, in the cache.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { cacheDir, hasServer, nodeBinary, nodeDir, nodeHome, nodePackage, serverDir, serverHome, serverMain, serverNodeMajor, serverVersion, stampName } from './cache.mjs';
import { withLock } from './lock.mjs';
import { npmEnvironment, run, SetupError, step } from './shell.mjs';

/** Fills a folder next to its final place and renames it, so that a half-made one is never taken for whole. */
async function installInto(dir, fill) {
  if (existsSync(join(dir, stampName))) return;
  const draftName = `${basename(dir)}.new`;
  // What an interrupted start left behind; the lock is ours, so nobody is working there.
  for (const name of readdirSync(dirname(dir))) if (name.startsWith(draftName)) rmSync(join(dirname(dir), name), { recursive: true, force: true });
  const draft = join(dirname(dir), `${draftName}.${process.pid}`);
  mkdirSync(draft, { recursive: true });
  try {
    writeFileSync(join(draft, 'package.json'), '{"private":true}\n');
    await fill(draft);
    writeFileSync(join(draft, stampName), `${new Date().toISOString()}\n`);
    rmSync(dir, { recursive: true, force: true });
    renameSync(draft, dir);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const npmInstall = (cwd, spec, env = {}) =>
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', spec], { cwd, env: npmEnvironment(env) });

async function installNode(draft) {
  await npmInstall(draft, `${nodePackage()}@${serverNodeMajor}`);
  if (!existsSync(nodeBinary(draft))) throw new SetupError(`The npm package ${nodePackage()}@${serverNodeMajor} brought no ${nodeBinary(draft)}.`);
}

async function installServer(draft) {
  await npmInstall(draft, `code-server@${serverVersion}`, {
    PATH: [dirname(nodeBinary()), process.env.PATH].join(delimiter),
    // Native parts are built against the headers of the Node that will load them.
    npm_config_nodedir: nodeHome(),
    npm_config_unsafe_perm: 'true',
    // Newer npm runs install scripts only of approved packages. This one is pinned, and is nothing without its script.
    npm_config_dangerously_allow_all_scripts: 'true',
    npm_config_ignore_scripts: 'false',
    // Nothing here downloads browsers.
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
  });
  const needed = [serverMain(draft), ...['node-pty', '@vscode/spdlog/build/Release/spdlog.node'].map((name) => join(serverHome(draft), 'node_modules', name))];
  const absent = needed.find((path) => !existsSync(path));
  if (absent !== undefined) throw new SetupError(`code-server@${serverVersion} was installed without ${absent.slice(draft.length + 1)}: npm did not run its install script.`);
}

export async function installEditorServer() {
  if (hasServer()) return;
  await withLock(join(cacheDir(), 'editor-server.lock'), "installing VS Code's server", async () => {
    if (!existsSync(join(nodeDir(), stampName))) await step(`Installing Node ${serverNodeMajor} into ${nodeDir()}`, () => installInto(nodeDir(), installNode));
    if (!existsSync(join(serverDir(), stampName))) await step(`Installing VS Code's server into ${serverDir()} (once, about two minutes)`, () => installInto(serverDir(), installServer));
  });
}
