import { sleep } from './time';

/** What Windows says of a file that a virus scanner, an indexer or another window has open for a moment. */
const passing: readonly unknown[] = ['EPERM', 'EACCES', 'EBUSY'];
/** Milliseconds between the attempts; a second and a half in all, in which a scanner is done with a file. */
const waitsMs = [25, 50, 100, 200, 400, 800];

/**
 * Replaces, renames or removes a file. Windows refuses that while anybody has the file open, so there it is tried again for
 * a moment; elsewhere the first refusal stands.
 */
export async function whileBusy<T>(work: () => Promise<T>, platform: NodeJS.Platform = process.platform): Promise<T> {
  for (const ms of platform === 'win32' ? waitsMs : []) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && passing.includes(error.code))) throw error;
      await sleep(ms);
    }
  }
  return work();
}
