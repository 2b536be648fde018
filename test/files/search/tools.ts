import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import * as path from 'node:path';

/** What a pod's image has on its PATH. */
export type ToolSet = 'rg' | 'grep' | 'busybox';

const applets = ['sh', 'cat', 'grep', 'find', 'sleep', 'kill', 'setsid', 'head', 'true', 'stat', 'id', 'rm', 'touch', 'printf', 'sort'];

function which(name: string): string | undefined {
  return ['/usr/bin', '/bin', '/usr/local/bin'].map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

/** Whether this computer has it. Debian: `apt-get install ripgrep busybox-static`. */
export const has = (set: ToolSet): boolean => (set === 'grep' ? true : which(set === 'rg' ? 'rg' : 'busybox') !== undefined);

/** A folder of links to just those tools, for a PATH. */
export async function toolFolder(dir: string, set: ToolSet): Promise<string> {
  const folder = path.join(dir, `bin-${set}`);
  await mkdir(folder);
  const busybox = set === 'busybox' ? which('busybox') : undefined;
  for (const name of [...applets, ...(set === 'busybox' ? [] : ['stdbuf', 'cut', 'bash', 'inotifywait']), ...(set === 'rg' ? ['rg'] : [])]) {
    const target = busybox !== undefined && name !== 'setsid' ? busybox : which(name);
    if (target !== undefined) await symlink(target, path.join(folder, name));
  }
  return folder;
}
