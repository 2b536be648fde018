import type { PodRow } from '../runpod/types';

/** A pod that exists though the answer to its create was lost, and that nobody has decided on yet. */
export interface Orphan {
  readonly podId: string;
  /** The account it was found in. */
  readonly origin: string;
}

/** Where they are kept, so that a reload of the window forgets none. */
export interface OrphanShelf {
  read(): readonly Orphan[];
  write(all: readonly Orphan[]): PromiseLike<void>;
}

/** Pods that nobody knows to have asked for: kept in mind until a person keeps them, or they are gone. */
export class Orphans {
  constructor(private readonly shelf: OrphanShelf) {}

  async add(podIds: readonly string[], origin: string): Promise<void> {
    const known = this.shelf.read();
    const fresh = [...new Set(podIds)].filter((id) => !known.some((o) => o.podId === id)).map((podId) => ({ podId, origin }));
    if (fresh.length > 0) await this.shelf.write([...known, ...fresh]);
  }

  /** A person wants the pod: it is a pod like all others from now on. */
  async settle(podId: string): Promise<void> {
    const known = this.shelf.read();
    if (known.some((o) => o.podId === podId)) await this.shelf.write(known.filter((o) => o.podId !== podId));
  }

  /** Those of this account that a good list still has; the others are gone, and forgotten. */
  in(rows: readonly PodRow[], origin: string): ReadonlySet<string> {
    const known = this.shelf.read();
    // Behind a row without a readable id there may be one of them.
    const certain = rows.every((row) => row.kind === 'pod' || row.row.id !== undefined);
    const listed = new Set(rows.map((row) => (row.kind === 'pod' ? row.pod.id : row.row.id)));
    const left = known.filter((o) => o.origin !== origin || !certain || listed.has(o.podId));
    if (left.length !== known.length) void this.shelf.write(left);
    return new Set(left.flatMap((o) => (o.origin === origin && listed.has(o.podId) ? [o.podId] : [])));
  }
}
