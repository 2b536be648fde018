import { isCancelled } from '../base/errors';
import { sleep } from '../base/time';
import { RunPodError } from '../runpod/errors';
import type { Pod } from '../runpod/types';
import { apiTrouble } from './podApi';

/** The part of the API that a start needs. */
export interface StartApi {
  action(id: string, action: 'start'): Promise<Pod | undefined>;
  get(id: string): Promise<Pod>;
}

/**
 * RunPod would not start a stopped pod. A pod is tied to its machine, and while it is stopped others may rent that
 * machine's GPUs: `no-gpu`. Any other refusal is `refused`, with RunPod's words in `cause`.
 */
export class StartRefusedError extends Error {
  override readonly name = 'StartRefusedError';
  constructor(
    readonly reason: 'no-gpu' | 'refused',
    readonly pod: Pod,
    override readonly cause: RunPodError,
  ) {
    super(`Pod ${pod.id} was not started: ${cause.message}`, { cause });
  }
}

/**
 * Starts a pod.
 * @returns the pod as RunPod then tells it; also when it turns out to be started already
 * @throws StartRefusedError when it stays stopped (RunPod answers 400 or 409); RunPodError for all else
 */
export async function startPod(api: StartApi, pod: Pod): Promise<Pod> {
  try {
    return (await api.action(pod.id, 'start')) ?? (await api.get(pod.id));
  } catch (error) {
    if (!(error instanceof RunPodError) || (error.status !== 400 && error.status !== 409)) throw error;
    // A 409 also means "not in this state": somebody else may have been quicker.
    const now = await api.get(pod.id).catch(() => pod);
    if (now.status === 'PROVISIONING' || now.status === 'STARTING' || now.status === 'RUNNING') return now;
    throw new StartRefusedError(error.code === 'no-capacity' ? 'no-gpu' : 'refused', now, error);
  }
}

export interface KeepStartingOptions {
  readonly signal: AbortSignal;
  /** Between two tries; a GPU comes free in minutes or hours, not in seconds. */
  readonly everyMs?: number;
  /** Before each try and after each refusal; `next` is when it is tried again, ms since 1970. */
  readonly onTry?: (tries: number, next: number | undefined) => void;
}

/**
 * Tries again until the pod starts. Trouble that passes is waited out; any other ends it.
 * @throws CancelledError; RunPodError for what waiting does not cure (the pod is gone, the key, the balance)
 */
export async function keepStarting(api: StartApi, pod: Pod, { signal, everyMs = 60_000, onTry }: KeepStartingOptions): Promise<Pod> {
  for (let tries = 1; ; tries++) {
    onTry?.(tries, undefined);
    try {
      return await startPod(api, pod);
    } catch (error) {
      if (isCancelled(error) || (!(error instanceof StartRefusedError) && apiTrouble(error) !== 'passing')) throw error;
    }
    onTry?.(tries, Date.now() + everyMs);
    await sleep(everyMs, signal);
  }
}
