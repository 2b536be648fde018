import type { Pod } from '../runpod/types';
import { sameAddress, startedFor, startOf, type PodAddress } from './address';

/** Whether news is of an earlier start than what is known. */
export const isOlder = (pod: Pod, known: Pod | undefined): boolean =>
  pod.startedAt !== undefined && known?.startedAt !== undefined && pod.startedAt < known.startedAt;

/** Whether a pod can be had by this news, and could not, or not there, by the news before. */
export const isNewStart = (pod: Pod, before: Pod | undefined): boolean =>
  before === undefined || startOf(before) !== startOf(pod) || before.status !== 'RUNNING' || !sameAddress(before.ssh.direct, pod.ssh.direct);

/**
 * Why a connection cannot be good any more after this news, or `undefined`.
 * @param then the pod as it was when the connection was made
 * @param freshMs so long after a start the API may tell the address of the start before
 */
export function staleBy(pod: Pod, { pod: then, address }: { readonly pod: Pod; readonly address: PodAddress }, freshMs: number, now: number): string | undefined {
  if (pod.status === 'EXITED' || pod.status === 'ERROR' || pod.status === 'TERMINATED') return `the pod is ${pod.status}`;
  if (pod.startedAt !== undefined && startOf(pod) !== startOf(then)) return 'the pod was started again';
  // Right after a start the API still tells the old address now and then; a connection that stands knows better.
  const moved = pod.ssh.direct !== undefined && !sameAddress(pod.ssh.direct, address);
  const age = startedFor(then, now);
  return moved && (age === undefined || age >= freshMs) ? 'the pod has another address' : undefined;
}
