import { CancelledError } from '../../base/errors';
import { PodUnavailableError } from '../../pods/contracts';
import type { Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import type { PreparedRun } from './runTerminal';

/** What runs need of the extension's parts. */
export type RunParts = Pick<Parts, 'sessions' | 'store' | 'activePod' | 'log' | 'context'>;

/**
 * The pod meant by an id or a name; without one the active pod, which is asked for once.
 * @throws PodUnavailableError when it is not there, CancelledError when nobody chose one
 */
export async function findPod(parts: RunParts, idOrName: string | undefined): Promise<Pod> {
  const { store, activePod } = parts;
  if (store.state.phase === 'loading') await store.refresh();
  const wanted = idOrName ?? (await activePod.pick());
  if (wanted === undefined) throw new CancelledError();
  const known = store.find(wanted);
  if (known !== undefined) return known;
  // Made a moment ago, or elsewhere: the list may be older than the pod.
  await store.refresh();
  const found = store.find(wanted);
  if (found !== undefined) return found;
  const { phase, problem } = store.state;
  if (phase === 'no-key') throw new PodUnavailableError('no-api-key', wanted, undefined);
  throw problem === undefined ? new PodUnavailableError('gone', wanted, undefined) : new PodUnavailableError('api', wanted, undefined, { cause: problem.error });
}

/** A pod's name and rate as the list has them at the end of a run. */
export const podNow = (parts: RunParts, pod: Pod): PreparedRun['pod'] => () => {
  const { name, costPerHour } = parts.store.find(pod.id) ?? pod;
  return { name, costPerHour };
};
