import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../setup/root.mjs';

const execute = promisify(execFile);

/** Builds the extension into `dist/`. */
export async function buildExtension(): Promise<void> {
  await execute(process.execPath, ['esbuild.mjs'], { cwd: root }).catch((error: { stderr?: string }) => {
    throw new Error(`The extension can't be built:\n${(error.stderr ?? '').split('\n\n/')[0] ?? ''}`);
  });
}

/**
 * Copies what the VSIX would hold, and nothing else, to a folder: a file that is forgotten in the package is missed here too.
 * @returns the folder
 */
export async function stageExtension(dir: string): Promise<string> {
  const names = await packageFiles();
  rmSync(dir, { recursive: true, force: true });
  for (const name of names) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    cpSync(join(root, name), join(dir, name));
  }
  return dir;
}

/** What the VSIX would hold: as the run's build has found it, else as it is now. */
async function packageFiles(): Promise<readonly string[]> {
  const list = process.env['RUNPOD_PACKAGE_LIST'];
  const text = list === undefined
    ? (await execute(process.execPath, [join(root, 'node_modules', '@vscode', 'vsce', 'vsce'), 'ls', '--no-dependencies'], { cwd: root, maxBuffer: 10_000_000 })).stdout
    : readFileSync(list, 'utf8');
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
}
