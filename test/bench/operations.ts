import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from './client';
import type { Ground } from './ground';
import { timed } from './stopwatch';

export interface Operation {
  readonly id: string;
  readonly title: string;
  /** Takes so long that it is measured less often. */
  readonly heavy?: boolean;
  /** Milliseconds it takes `client`, with things of its own, new each time; `undefined` where the client cannot do it. */
  measure(client: Client, ground: Ground, run: string): Promise<number | undefined>;
}

export interface Sizes {
  readonly listings: readonly number[];
  readonly tree: number;
}

/** Files in the tree that stands for a larger one with clients that delete one by one. */
const sampleTree = 60;

/** Everything that is measured, in the order of the table. */
export function operations({ listings, tree }: Sizes): Operation[] {
  return [
    {
      id: 'open',
      title: 'open a file of 4 KB',
      async measure(client, ground, run) {
        if (client.open === undefined) return undefined;
        const path = await ground.file(`open-${run}`, 4096);
        return timed(() => client.open?.(path));
      },
    },
    {
      id: 'save',
      title: 'save a file of 4 KB',
      async measure(client, ground, run) {
        if (client.save === undefined) return undefined;
        const path = await ground.file(`save-${run}`, 4096);
        const content = Buffer.alloc(4096, run);
        const ms = await timed(() => client.save?.(path, content));
        if (!(await fs.readFile(path)).equals(content)) throw new Error(`${client.name} did not save`);
        return ms;
      },
    },
    ...listings.map((entries): Operation => ({
      id: `list-${entries}`,
      title: `list ${entries.toLocaleString('en')} entries`,
      async measure(client, ground, run) {
        if (client.list === undefined) return undefined;
        const folder = await ground.tree(`list-${entries}-${run}`, entries);
        return timed(() => client.list?.(folder));
      },
    })),
    {
      id: 'stats',
      title: `list ${(listings[0] ?? 0).toLocaleString('en')} entries and stat each`,
      async measure(client, ground, run) {
        if (client.listWithStats === undefined) return undefined;
        const folder = await ground.tree(`stats-${run}`, listings[0] ?? 0);
        return timed(() => client.listWithStats?.(folder));
      },
    },
    {
      id: 'delete',
      title: `delete a tree of ${tree.toLocaleString('en')} files`,
      async measure(client, ground, run) {
        if (client.deleteTree === undefined) return undefined;
        const files = client.deletesOneByOne === true ? Math.min(sampleTree, tree) : tree;
        const folder = await ground.tree(`delete-${run}`, files, Math.max(1, files / 100));
        const ms = await timed(() => client.deleteTree?.(folder));
        if ((await fs.readdir(folder).catch(() => [])).length > 0) throw new Error(`${client.name} did not delete`);
        return (ms * tree) / files;
      },
    },
    {
      id: 'copy',
      title: 'copy a file of 20 MB',
      async measure(client, ground, run) {
        if (client.copy === undefined) return undefined;
        const path = await ground.file(`copy-${run}`, 20_000_000);
        const ms = await timed(() => client.copy?.(path, `${path}.copy`));
        if ((await fs.stat(`${path}.copy`)).size !== 20_000_000) throw new Error(`${client.name} did not copy`);
        await fs.rm(path);
        await fs.rm(`${path}.copy`);
        return ms;
      },
    },
    {
      id: 'rename',
      title: 'rename a file',
      async measure(client, ground, run) {
        if (client.rename === undefined) return undefined;
        const path = await ground.file(`rename-${run}`, 10);
        return timed(() => client.rename?.(path, `${path}.new`));
      },
    },
    {
      id: 'read',
      title: 'read a big file',
      heavy: true,
      async measure(client, ground, run) {
        if (client.read === undefined) return undefined;
        const path = join(ground.far, `read-${run}`);
        await fs.copyFile(ground.bigFile, path);
        ground.touchMemory();
        const ms = await timed(() => client.read?.(path));
        await fs.rm(path);
        return ms;
      },
    },
    {
      id: 'write',
      title: 'write a big file',
      heavy: true,
      async measure(client, ground, run) {
        if (client.write === undefined) return undefined;
        const path = join(ground.far, `write-${run}`);
        ground.touchMemory();
        const ms = await timed(() => client.write?.(path));
        if ((await fs.stat(path)).size !== ground.bigBytes) throw new Error(`${client.name} did not write`);
        await fs.rm(path);
        return ms;
      },
    },
  ];
}
