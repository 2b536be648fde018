// Where the parts that are too large for the project's own dependencies lie, shared by all checkouts of one user.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** VS Code's server comes out of this npm package; its own version is that of VS Code (1.139). */
export const serverVersion = '4.139.1';
/** The server needs exactly this major version of Node, to install and to run. */
export const serverNodeMajor = 24;

export function cacheDir() {
  const { RUNPOD_WORKSPACES_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'runpod-workspaces-dev');
}

/** A folder of the cache counts only when this file is in it: it is written last. */
export const stampName = '.complete';

export const nodeDir = () => join(cacheDir(), `node${serverNodeMajor}`);
export const serverDir = () => join(cacheDir(), `code-server-${serverVersion}`);
/** Playwright's own browser, where the machine's packages offer none. */
export const browserDir = () => join(cacheDir(), 'browser');

export const nodePackage = () => (process.platform === 'linux' ? `node-linux-${process.arch}` : 'node');
export const nodeHome = (base = nodeDir()) => join(base, 'node_modules', nodePackage());
export const nodeBinary = (base = nodeDir()) => join(nodeHome(base), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
export const serverHome = (base = serverDir()) => join(base, 'node_modules', 'code-server', 'lib', 'vscode');
/** VS Code's own server, not the wrapper around it: the wrapper drops the flag that lets extension tests run. */
export const serverMain = (base = serverDir()) => join(serverHome(base), 'out', 'server-main.js');

export const hasServer = () => [nodeDir(), serverDir()].every((dir) => existsSync(join(dir, stampName)));
