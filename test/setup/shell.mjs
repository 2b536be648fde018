import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A problem that its reader can solve: printed without a stack. */
export class SetupError extends Error {}

/** Where a program is, or undefined. Looks in the system's folders too, which are not on everyone's PATH. */
export function which(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of folders) for (const n of names) if (folder && existsSync(join(folder, n))) return join(folder, n);
  return undefined;
}

/**
 * Runs a program quietly; its output is shown only when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>} what it wrote
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    // npm is a .cmd file on Windows, which only a shell can start.
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' && !command.includes('\\') });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => reject(new SetupError(`${command} could not be started: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new SetupError(`${[command, ...args].join(' ')} failed (${code}):\n${output.slice(-6000)}`));
    });
  });
}

/** Says what takes time, and how long it took. */
export async function step(title, work) {
  const started = Date.now();
  console.log(`· ${title} …`);
  const result = await work();
  console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/**
 * An environment for an npm inside an npm script. The outer one describes itself in variables (its Node's version among
 * them) that the inner one and its install scripts would take for their own; what a person may have set stays.
 */
export function npmEnvironment(more = {}) {
  const kept = /^npm_config_(registry|cache|userconfig|globalconfig|proxy|https_proxy|http_proxy|noproxy|ca|cafile|strict_ssl|.*:.*)$/i;
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name));
  return { ...Object.fromEntries(own), ...more };
}
