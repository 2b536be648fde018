import { RunPodError } from '../runpod/errors';
import type { SpotMarket, SpotStanding } from '../runpod/spot';
import type { Cloud, Pod } from '../runpod/types';
import { SPOT_MARK } from './spot';
import { StartRefusedError, type StartApi } from './start';

/** The part of GraphQL that a bid for a stopped pod needs. */
export interface BidApi {
  market(gpuId: string, count: number, cloud: Cloud): Promise<SpotMarket>;
  standing(podId: string): Promise<SpotStanding>;
  resume(podId: string, bidPerGpu: number, gpuCount: number): Promise<void>;
}

/** A spot pod that started neither with a bid nor without one. */
export class SpotRefusedError extends StartRefusedError {
  constructor(
    of: StartRefusedError,
    /** USD per hour of the same hardware on demand. */
    readonly onDemand: number | undefined,
    /** Tries once more what was tried. */
    readonly again: StartApi,
  ) {
    super(of.reason, of.pod, of.cause);
  }
}

/** What a bid for a stopped spot pod has to beat. All in USD per hour of one GPU. */
export interface BidTerms {
  readonly gpuCount: number;
  /** The lowest bid that can win now. */
  readonly lowest?: number;
  readonly onDemand?: number;
  /** What was bid before. */
  readonly last?: number;
}

/** What was bid for a pod when it was made, USD per hour of one GPU. */
export function firstBid(pod: Pick<Pod, 'env'>): number | undefined {
  const bid = Number(pod.env[SPOT_MARK]);
  return bid > 0 ? bid : undefined;
}

/**
 * The market of a stopped spot pod.
 * @param before what was bid for it last, as far as is known here; RunPod's own word outranks it
 * @returns undefined where it is none, as RunPod says, or where RunPod's old API, which alone takes bids, does not answer
 */
export async function bidTerms(api: BidApi, pod: Pod, before = firstBid(pod)): Promise<BidTerms | undefined> {
  const { gpu } = pod;
  if (!gpu) return undefined;
  const gpuCount = Math.max(1, gpu.count);
  const known = await Promise.all([api.standing(pod.id), api.market(gpu.id, gpuCount, pod.cloud ?? 'SECURE')]).catch((error: unknown) => {
    if (error instanceof RunPodError) return undefined;
    throw error;
  });
  if (!known?.[0].interruptible) return undefined;
  const [{ bidPerGpu }, { minimumBid, onDemand }] = known;
  const last = bidPerGpu ?? before;
  return { gpuCount, ...(minimumBid === undefined ? {} : { lowest: minimumBid }), ...(onDemand === undefined ? {} : { onDemand }), ...(last === undefined ? {} : { last }) };
}

/**
 * The bid where nobody is asked: what was bid before, and more only as far as a cap permits.
 * @param cap USD per hour of the whole pod
 * @returns undefined where the market is above that
 */
export function bidWithin({ gpuCount, lowest, last }: BidTerms, cap: number | undefined): number | undefined {
  const most = cap === undefined ? last : cap / gpuCount;
  const wanted = Math.max(last ?? 0, lowest ?? 0);
  if (most === undefined || wanted === 0) return most;
  return (lowest ?? 0) <= most ? Math.min(wanted, most) : undefined;
}

/** The bid to propose: what was bid before, or the market's lowest where that is more, in whole cents. */
export const proposedBid = ({ lowest, last, onDemand }: Omit<BidTerms, 'gpuCount'>): number => Math.ceil((Math.max(lowest ?? 0, last ?? 0) || (onDemand ?? 1) / 2) * 100 - 1e-6) / 100;

/** Whether RunPod's refusal is one of bids altogether, and not of this one: it has switched them off, or this key may make none. */
export const takesNoBids = ({ code }: RunPodError): boolean => code === 'gone' || code === 'forbidden' || code === 'unauthorized' || code === 'method-not-allowed' || code === 'not-found' || code === 'wrong-origin' || code === 'not-json';

/**
 * Starts a stopped spot pod with a bid. A lost answer is looked up.
 * @throws StartRefusedError when it stays stopped, with RunPod's words in `cause`; RunPodError where no answer can be had
 */
export async function startWithBid(api: StartApi, bids: BidApi, pod: Pod, bidPerGpu: number, gpuCount: number): Promise<Pod> {
  try {
    await bids.resume(pod.id, bidPerGpu, gpuCount);
  } catch (error) {
    if (!(error instanceof RunPodError) || error.code === 'payment-required') throw error;
    const now = await api.get(pod.id);
    if (now.status !== 'EXITED' && now.status !== 'TERMINATED' && now.status !== 'ERROR') return now;
    throw new StartRefusedError(error.code === 'no-capacity' ? 'no-gpu' : 'refused', now, error);
  }
  return api.get(pod.id);
}
