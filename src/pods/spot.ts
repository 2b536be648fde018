import { messageOf } from '../base/errors';
import { RunPodError } from '../runpod/errors';
import type { CreatePodRequest, Pod, PodRow } from '../runpod/types';
import { createPod, type CreateOptions } from './create';

/** The variable that tells a spot pod of ours from others: REST cannot. Its value is the bid in USD per GPU-hour. */
export const SPOT_MARK = 'RUNPOD_WORKSPACES_SPOT';

export interface SpotRentApi {
  rent(request: CreatePodRequest, bidPerGpu: number): Promise<string>;
  get(podId: string): Promise<Pod>;
  list(): Promise<PodRow[]>;
}

export const isSpot = (pod: Pick<Pod, 'env'>): boolean => pod.env[SPOT_MARK] !== undefined;

/**
 * Bids for one spot pod, exactly one, with the care of any create: a lost answer is looked up by the pod's mark.
 * @throws what `createPod` throws
 */
export function rentSpot(api: SpotRentApi, request: CreatePodRequest, bidPerGpu: number, options: CreateOptions = {}): Promise<Pod> {
  const create = async (sent: CreatePodRequest): Promise<Pod> => {
    const id = await api.rent(sent, bidPerGpu);
    try {
      return await api.get(id);
    } catch (cause) {
      // It was made; REST just does not show it yet. Looking for it goes on.
      throw new RunPodError('server', { method: 'GET', path: `/pods/${id}`, detail: messageOf(cause), maybeDone: true, cause });
    }
  };
  return createPod({ create, list: () => api.list() }, { ...request, env: { ...request.env, [SPOT_MARK]: String(bidPerGpu) } }, options);
}

/**
 * Watches lists for spot pods of ours that ended since the list before.
 * A pod that vanished counts as well: an outbid one without a volume may be gone at once.
 */
export class SpotEnds {
  #running = new Map<string, Pod>();

  /** @returns those that ran in the list before and do not run any more */
  update(pods: readonly Pod[]): Pod[] {
    const now = new Map(pods.filter((p) => isSpot(p) && p.status === 'RUNNING').map((p) => [p.id, p]));
    const ended = [...this.#running.values()].filter((before) => {
      const after = pods.find((p) => p.id === before.id);
      return !now.has(before.id) && (after === undefined || after.status === 'EXITED' || after.status === 'TERMINATED');
    });
    this.#running = now;
    return ended.map((before) => pods.find((p) => p.id === before.id) ?? before);
  }
}
