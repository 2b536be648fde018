import type { Disposable, Memento } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import { Orphans, type Orphan } from '../../pods/orphans';
import { PendingCreates, type PendingCreate } from '../../pods/pendingCreates';
import type { Parts } from '../parts';

const KEY = 'runpod.pendingCreates';

/** The creates of all windows of this editor, kept across reloads. */
export function pendingCreates(memento: Memento): PendingCreates {
  return new PendingCreates({ read: () => memento.get<PendingCreate[]>(KEY) ?? [], write: (all) => memento.update(KEY, all.length === 0 ? undefined : all) });
}

const FOUND = 'runpod.orphans';

/** The pods of lost creates that nobody has decided on yet. */
export const orphans = (memento: Memento): Orphans => new Orphans({ read: () => memento.get<Orphan[]>(FOUND) ?? [], write: (all) => memento.update(FOUND, all.length === 0 ? undefined : all) });

/** Looks through every fresh list for pods whose create was never answered, and keeps them in mind. No request is made for it. */
export function followLostCreates({ store, pendingCreates: pending, orphans: found, keys, log }: Pick<Parts, 'store' | 'pendingCreates' | 'orphans' | 'keys' | 'log'>): Disposable {
  return store.onDidChange((state) => {
    if (state.phase !== 'ready' || state.problem || pending.all.length === 0) return;
    const { account } = keys;
    pending
      .reconcile(state.rows, account, (pods) => found.add(pods.map((pod) => pod.id), account))
      .then(
        (pods) => (pods.length > 0 ? store.redress() : undefined),
        (error: unknown) => (isCancelled(error) ? undefined : log.warn(`Lost creates: ${messageOf(error)}`)),
      );
  });
}
