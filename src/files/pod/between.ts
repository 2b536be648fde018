import { FileError, isFileError } from '../errors';
import { permissionMask } from '../kinds';
import { join, normalise } from '../names';
import type { PodFiles } from './podFiles';
import { tempBeside } from '../temp';

/** More than this is a transfer, with progress and an end in sight, and no drag from one folder to another. */
const maxBytes = 500_000_000;

/**
 * Copies a file or folder from one pod to another by way of this machine: complete under a temporary name first, then in
 * one step under its own. Links are not carried over, for what they lead to is another pod's.
 */
export async function copyBetween(source: PodFiles, from: string, target: PodFiles, to: string, options: { readonly overwrite: boolean }): Promise<void> {
  if (!options.overwrite && (await isThere(target, to))) throw new FileError('exists', to);
  const temp = tempBeside(normalise(to));
  try {
    await copyEntry(source, from, target, temp);
    await target.rename(temp, to, options);
  } catch (error) {
    await target.delete(temp, { recursive: true }).catch(() => undefined);
    throw error;
  }
}

async function isThere(files: PodFiles, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (error) {
    if (isFileError(error, 'not-found')) return false;
    throw error;
  }
}

async function copyEntry(source: PodFiles, from: string, target: PodFiles, to: string): Promise<void> {
  const { kind, link, mode } = await source.stat(from);
  if (link) throw new FileError('unsupported', from, 'a link to something on its own pod');
  if (kind === 'directory') {
    await target.createDirectory(to);
    for (const entry of await source.list(from)) await copyEntry(source, join(from, entry.name), target, join(to, entry.name));
    return;
  }
  if (kind !== 'file') throw new FileError('unsupported', from, 'a device, pipe or socket');
  await target.writeFile(to, await source.readFile(from, { maxBytes }), { create: true, overwrite: false, mode: mode & permissionMask });
}
