import { sleep, steadyNow } from '../base/time';
import { RunPodError } from '../runpod/errors';
import type { Pod } from '../runpod/types';
import { CONFIRM_MS, hasEnded, hasTime, type EndKind, type PendingEnds } from './pendingEnds';
import { apiTrouble } from './podApi';

/** The part of the API that ending a pod needs. */
export interface EndApi {
  action(id: string, action: 'stop'): Promise<Pod | undefined>;
  terminate(id: string): Promise<void>;
  get(id: string): Promise<Pod>;
}

export interface EndOptions {
  readonly pending: PendingEnds;
  /** The account. */
  readonly origin: string;
  /** ms since 1970 by the API's clock. */
  readonly now: () => number;
  /** Every newer state of the pod. */
  readonly onNews?: (pod: Pod) => void;
}

/** How it stands when RunPod has confirmed, or has had its time. */
export interface Ended {
  readonly confirmed: boolean;
  /** The pod as last heard of; absent where RunPod no longer knows it. */
  readonly pod?: Pod;
}

/**
 * Stops or terminates a pod and waits until RunPod says that it has ended, `CONFIRM_MS` of the API's time at most. What is
 * not confirmed by then, or when this window closes, stays among the pending ends. A lost answer is looked after like a good one.
 * @throws RunPodError when RunPod refused (then nothing is pending that was not before), or cannot be asked (it is pending)
 */
export async function endPod(api: EndApi, pod: Pod, kind: EndKind, { pending, origin, now, onNews = () => undefined }: EndOptions): Promise<Ended> {
  const askedBefore = pending.of(pod.id) !== undefined;
  const end = await pending.note(pod, kind, origin);
  const begun = steadyNow();
  let latest: Pod = pod;
  const gone = async (): Promise<Ended> => {
    await pending.settle(pod.id);
    return { confirmed: true };
  };
  const heard = (news: Pod): void => {
    latest = news;
    onNews(news);
  };
  try {
    if (kind === 'terminate') await api.terminate(pod.id);
    else {
      const answer = await api.action(pod.id, 'stop');
      if (answer) heard(answer);
    }
  } catch (error) {
    if (!(error instanceof RunPodError)) throw error;
    // Gone already is what was wanted; whether it really is gone is asked below.
    if (error.code !== 'not-found' && !error.maybeDone) {
      const state = error.code === 'conflict' ? await api.get(pod.id).catch(() => undefined) : undefined;
      if (!state || !hasEnded(end, state)) {
        // A refusal of this request does not take back the one before.
        if (!askedBefore && (error.code === 'conflict' || apiTrouble(error) !== 'passing')) await pending.settle(pod.id);
        throw error;
      }
      heard(state);
    }
  }
  for (let wait = 300; !hasEnded(end, latest); wait = Math.min(3000, wait * 1.5)) {
    // The second clock is for a computer whose time is set back meanwhile.
    if (!hasTime(end, now()) || steadyNow() - begun >= CONFIRM_MS) return { confirmed: false, pod: latest };
    await pending.keep(end);
    try {
      heard(await api.get(pod.id));
    } catch (error) {
      if (error instanceof RunPodError && error.code === 'not-found') return gone();
    }
    if (!hasEnded(end, latest)) await sleep(wait);
  }
  await pending.settle(pod.id);
  return { confirmed: true, pod: latest };
}
