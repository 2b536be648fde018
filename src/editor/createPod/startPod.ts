import { l10n } from 'vscode';
import { CancelledError, messageOf } from '../../base/errors';
import { bidTerms, bidWithin, firstBid, proposedBid, SpotRefusedError, startWithBid, takesNoBids, type BidTerms } from '../../pods/bid';
import { gpuCandidate } from '../../pods/candidates';
import { profileOf } from '../../pods/profile/runs';
import { isSpot } from '../../pods/spot';
import { startPod, StartRefusedError, type StartApi } from '../../pods/start';
import type { RunPodClient } from '../../runpod/client';
import type { Pod } from '../../runpod/types';
import type { StartHow } from '../commands/podActions';
import type { Parts } from '../parts';
import { notice } from '../prompts/notice';
import { foldersWithProfiles, readFolder } from '../profile/folder';
import { bidProblem, bidPrompt } from '../prompts/bid';
import { BACK, textStep } from '../prompts/steps';
import { money, rate } from '../words';

const BIDS = 'runpod.bids';

/** What was bid last for pods: RunPod does not tell it of a stopped one, and the mark on the pod keeps the first bid. */
class Bids {
  constructor(private readonly parts: Pick<Parts, 'context' | 'store'>) {}

  last(pod: Pod): number | undefined {
    return this.#all[pod.id] ?? firstBid(pod);
  }

  async note(pod: Pod, bidPerGpu: number): Promise<void> {
    const listed = Object.entries(this.#all).filter(([id]) => this.parts.store.find(id) !== undefined);
    await this.parts.context.globalState.update(BIDS, { ...Object.fromEntries(listed), [pod.id]: bidPerGpu });
  }

  get #all(): Readonly<Record<string, number>> {
    return this.parts.context.globalState.get(BIDS, {});
  }
}

/**
 * Starts a stopped pod; one that others may outbid with a bid for its market price now, and without one where RunPod takes
 * none. A bid is never above what was asked for or what the profile of its name permits.
 * @throws StartRefusedError, which knows the bid and the price on demand; CancelledError; RunPodError
 */
export async function startAnyPod(parts: Parts, pod: Pod, how: StartHow): Promise<Pod> {
  const client = await parts.api.client();
  const bids = new Bids(parts);
  if (isSpot(pod)) return startSpot(client, bids, pod, how, await bidTerms(client.spot, pod, bids.last(pod)));
  try {
    return await startPod(client.pods, pod);
  } catch (error) {
    // A spot pod that was made elsewhere does not show before its start is refused.
    const terms = error instanceof StartRefusedError ? await bidTerms(client.spot, pod, bids.last(pod)) : undefined;
    if (!terms) throw error;
    return startSpot(client, bids, pod, how, terms);
  }
}

async function startSpot(client: RunPodClient, bids: Bids, pod: Pod, how: StartHow, terms: BidTerms | undefined): Promise<Pod> {
  const cap = how.maxPricePerHour ?? (await profileCap(pod));
  let refused: StartRefusedError | undefined;
  let again: StartApi = client.pods;
  if (terms) {
    const bid = how.bidPerGpu ?? (how.ask ? await askBid(pod, terms, cap) : bidWithin(terms, cap));
    if (bid === undefined) throw new Error(l10n.t('The lowest bid for {0} that can win now is {1} per hour and GPU; its bid before was {2}. Say bidPerGpu or maxPricePerHour.', pod.name, money(terms.lowest), money(terms.last)));
    if (cap !== undefined && bid * terms.gpuCount > cap) throw new Error(l10n.t('A bid of {0} for {1} is above the {2} per hour that are permitted.', money(bid), pod.name, money(cap)));
    const start = async (): Promise<Pod> => {
      const now = await startWithBid(client.pods, client.spot, pod, bid, terms.gpuCount);
      await bids.note(pod, bid);
      return now;
    };
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof StartRefusedError)) throw error;
      refused = error;
      if (!takesNoBids(error.cause)) again = { get: (id) => client.pods.get(id), action: start };
    }
  }
  const onDemand = terms?.onDemand === undefined ? await catalogPrice(client, pod) : terms.onDemand * terms.gpuCount;
  if (!(await mayStartWithoutBid(pod, how, cap, onDemand, terms?.last ?? bids.last(pod), refused))) {
    if (!refused) throw new Error(l10n.t('RunPod takes no bid for {0}. On demand it costs {1}, and {2} per hour are permitted.', pod.name, rate(onDemand), money(cap)));
    throw new SpotRefusedError(refused, onDemand, again);
  }
  try {
    return await startPod(client.pods, pod);
  } catch (error) {
    throw error instanceof StartRefusedError ? new SpotRefusedError(error, onDemand, again) : error;
  }
}

/** Without a bid RunPod sets the price: unasked, nobody pays more than was meant to be paid. @throws CancelledError */
async function mayStartWithoutBid(pod: Pod, { ask }: StartHow, cap: number | undefined, onDemand: number | undefined, last: number | undefined, refused: StartRefusedError | undefined): Promise<boolean> {
  if (cap !== undefined) return onDemand !== undefined && onDemand <= cap;
  const noBids = refused === undefined || takesNoBids(refused.cause);
  if (!ask) return noBids;
  const go = l10n.t('Start Without a Bid');
  const said = refused ? `${l10n.t('RunPod says: “{0}”', refused.cause.detail ?? messageOf(refused.cause))} ` : '';
  const before = last !== undefined ? ` ${l10n.t('Its bid before was {0} per GPU.', money(last))}` : '';
  const detail = `${said}${l10n.t('RunPod then sets the price: on demand it costs {0}.', rate(onDemand))}${before}`;
  if ((await notice.ask(noBids ? l10n.t('RunPod takes no bids. Start {0} without one?', pod.name) : l10n.t('RunPod did not take the bid. Start {0} without one?', pod.name), detail, go)) === go) return true;
  // What else can be done is said where it was this bid that lost.
  if (noBids) throw new CancelledError();
  return false;
}

async function askBid(pod: Pod, terms: BidTerms, cap: number | undefined): Promise<number> {
  const text = await textStep({ title: l10n.t('Start {0}: Bid', pod.name), step: 1, of: 1, prompt: bidPrompt(terms), value: proposedBid(terms).toFixed(2), validate: (t) => bidProblem(t, terms, cap) });
  if (text === BACK) throw new CancelledError();
  return Number(text);
}

/** USD per hour, by the catalog. */
async function catalogPrice(client: RunPodClient, { gpu, cloud = 'SECURE' }: Pod): Promise<number | undefined> {
  if (!gpu) return undefined;
  const count = Math.max(1, gpu.count);
  const types = await client.catalog.gpus({ availability: { cloud, count } }).catch(() => []);
  const type = types.find(({ id }) => id === gpu.id);
  return type && gpuCandidate(type, cloud, count)?.perHour;
}

/** What the profile of the pod's name permits, USD per hour, where its folder is open and trusted. */
async function profileCap(pod: Pod): Promise<number | undefined> {
  const caps = await Promise.all((await foldersWithProfiles()).map(async (folder) => profileOf((await readFolder(folder)).profiles, pod.name)?.profile.maxPricePerHour).map((cap) => cap.catch(() => undefined)));
  const known = caps.filter((cap) => cap !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
