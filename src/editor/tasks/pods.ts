import { CancelledError } from '../../base/errors';
import type { Pod } from '../../runpod/types';
import { Targets } from '../commands/command';
import type { Parts } from '../parts';
import type { PreparedRun, RunObserver } from './preparedRun';

/** What runs need of the extension's parts. */
export type RunParts = Pick<Parts, 'sessions' | 'store' | 'activePod' | 'log' | 'context' | 'runBook' | 'followed' | 'files' | 'guards' | 'ledgers' | 'mappings'> & { readonly observer?: RunObserver };

/**
 * The pod meant by an id or a name; without one the active pod, which is asked for once.
 * @throws PodUnavailableError when it is not there, CancelledError when nobody chose one
 */
export async function findPod(parts: RunParts, idOrName: string | undefined): Promise<Pod> {
  const wanted = idOrName ?? (await parts.activePod.pick());
  if (wanted === undefined) throw new CancelledError();
  return new Targets(parts.store).pod(wanted, '');
}

/** A pod's name and rate as the list has them at the end of a run. */
export const podNow = (parts: RunParts, pod: Pod): PreparedRun['pod'] => () => {
  const { name, costPerHour } = parts.store.find(pod.id) ?? pod;
  return { name, costPerHour };
};
