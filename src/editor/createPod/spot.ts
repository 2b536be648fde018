import { l10n, type Disposable } from 'vscode';
import { CancelledError, messageOf } from '../../base/errors';
import { proposedBid } from '../../pods/bid';
import { withSshAccess } from '../../pods/create';
import { rentSpot, SpotEnds } from '../../pods/spot';
import { requestFrom } from '../../pods/request';
import { RunPodError } from '../../runpod/errors';
import type { CreatePodRequest, Pod } from '../../runpod/types';
import type { SpotMarket } from '../../runpod/spot';
import { hasLimit, wishAmong, WISH_FIELDS, type GuardWish } from '../../pods/guard/wish';
import { choices, command, run } from '../commands/command';
import { showUntilReady } from '../commands/untilReady';
import type { Parts } from '../parts';
import { bidProblem, bidPrompt } from '../prompts/bid';
import { BACK, pickStep, textStep, walkThrough } from '../prompts/steps';
import { limitChoices, settleLimit, type LimitChoice } from '../guard/limitStep';
import { guardUrls } from '../settings';
import { gigabytes, rate } from '../words';
import { createAsked } from './command';
import { hardwareStep, type HardwareAnswer } from './hardwareStep';
import { withLimits } from './limits';
import { catalogReader } from './wizard';
import { notice } from '../prompts/notice';

/**
 * `runpod.createSpotPod({name, image, gpu, bidPerGpu, timeLimitMinutes?, idleStopMinutes?, budgetUsd?, atLimit?, …})`: a pod that
 * others may outbid, with the limits of any other pod; and word of it when they have.
 */
export function registerSpot(parts: Parts): Disposable[] {
  const ends = new SpotEnds();
  return [
    parts.store.onDidChange((state) => {
      if (state.phase !== 'ready' || state.problem) return;
      for (const pod of ends.update(state.pods)) void tellEnd(parts, pod);
    }),
    command('runpod.createSpotPod', parts.log, async (given) => {
      const ready = choices(given);
      if (ready && typeof ready['bidPerGpu'] === 'number') {
        const limits = wishAmong(ready);
        const { bidPerGpu, ...given } = ready;
        const request = Object.fromEntries(Object.entries(given).filter(([name]) => !(WISH_FIELDS as readonly string[]).includes(name)));
        return { id: (await rent(parts, request as unknown as CreatePodRequest, Number(bidPerGpu), limits)).id };
      }
      const { request, bid, limits, candidate } = await askForSpot(parts);
      try {
        const pod = await rent(parts, request, bid, limits);
        parts.podLogs.show(pod.id, pod.name);
        void showUntilReady(parts, pod.id, pod.name, { onCancel: () => run('runpod.terminatePod', { podId: pod.id }, { confirmed: true }) });
        return { id: pod.id };
      } catch (error) {
        if (!(error instanceof RunPodError) || (error.code !== 'no-capacity' && error.code !== 'gone' && error.code !== 'forbidden')) throw error;
        return offerOnDemand(parts, error, request, limits, candidate);
      }
    }),
  ];
}

async function rent(parts: Parts, asked: CreatePodRequest, bid: number, limits: GuardWish | undefined): Promise<Pod> {
  const client = await parts.api.client();
  const template = asked.templateId !== undefined && hasLimit(limits) ? await client.templates.get(asked.templateId) : undefined;
  const request = withLimits(asked, limits, guardUrls(), template);
  const [ownKey, accountKeys] = await Promise.all([parts.identities.ownPublicKey(), client.sshKeys.read().catch(() => [])]);
  const pod = await rentSpot({ rent: (r, b) => client.spot.rent(r, b), get: (id) => client.pods.get(id), list: () => client.pods.list() }, withSshAccess(request, { ownKey, accountKeys }), bid, {
    journal: parts.pendingCreates,
    origin: parts.keys.account,
    onUncertain: () => parts.log.warn(`Bid for ${request.name}: no answer; looking for the pod by its mark`),
  });
  parts.store.put(pod);
  parts.store.hurry();
  return pod;
}

interface SpotKnown {
  readonly name: string;
  readonly answer?: HardwareAnswer;
  readonly volumeGb?: number;
  readonly bid?: number;
  /** `none`: agreed to be without. */
  readonly limit?: GuardWish | 'none';
}

interface SpotAnswer {
  readonly request: CreatePodRequest;
  /** USD per hour of one GPU. */
  readonly bid: number;
  readonly limits: GuardWish | undefined;
  readonly candidate: HardwareAnswer['candidate'];
}

async function askForSpot(parts: Parts): Promise<SpotAnswer> {
  const client = await parts.api.client();
  const catalog = catalogReader(client);
  const title = l10n.t('New Spot Pod');
  const of = 5;
  const known = await walkThrough<SpotKnown>({ name: 'spot' }, [
    async ({ name }) => {
      const answer = await textStep({ title, step: 1, of, prompt: l10n.t('Name of the pod. Others may outbid it: it then gets 5 seconds, and stops.'), value: name, validate: (t) => (t.trim() === '' ? l10n.t('A pod needs a name.') : undefined) });
      return answer === BACK ? BACK : { name: answer };
    },
    async () => {
      const answer = await hardwareStep({ title, step: 2, of, catalog, recent: [], count: 1 });
      return answer === BACK ? BACK : { answer };
    },
    async () => {
      const sizes = [20, 50, 100].map((gb) => ({ label: l10n.t('{0} volume', gigabytes(gb)), detail: l10n.t('Kept when it is outbid.'), value: gb }));
      const answer = await pickStep<number>({ title, step: 3, of, placeholder: l10n.t('Storage for {0}', '/workspace'), items: [...sizes, { label: l10n.t('No volume'), detail: l10n.t('Everything is lost when it is outbid.'), value: 0 }] });
      return answer === BACK ? BACK : { volumeGb: answer };
    },
    async ({ answer }) => {
      const candidate = answer?.candidate;
      if (!candidate?.gpu) throw new Error(l10n.t('Spot pods have GPUs.'));
      const market = await client.spot.market(candidate.gpu.id, candidate.gpu.count, candidate.cloud).catch((): SpotMarket => ({}));
      const least = market.minimumBid;
      const onDemand = market.onDemand ?? (candidate.perHour === undefined ? undefined : candidate.perHour / candidate.gpu.count);
      const terms = { gpuCount: candidate.gpu.count, ...(least === undefined ? {} : { lowest: least }), ...(onDemand === undefined ? {} : { onDemand }) };
      const bid = await textStep({
        title,
        step: 4,
        of,
        prompt: bidPrompt(terms),
        value: proposedBid(terms).toFixed(2),
        validate: (t) => bidProblem(t, terms),
      });
      return bid === BACK ? BACK : { bid: Number(bid) };
    },
    async ({ answer, bid, volumeGb }) => {
      const perHour = bid === undefined ? undefined : bid * (answer?.candidate.gpu?.count ?? 1);
      const choice = await pickStep<LimitChoice>({ title, step: 5, of, placeholder: l10n.t('When it ends by itself if nobody outbids it, also with this computer off'), items: limitChoices(perHour, (volumeGb ?? 0) > 0) });
      return choice === BACK ? BACK : { limit: (await settleLimit(choice, perHour)) ?? 'none' };
    },
  ]);
  const { name, answer, bid, volumeGb, limit } = known;
  const candidate = answer?.candidate;
  if (!candidate?.gpu || bid === undefined || limit === undefined) throw new CancelledError();
  const request = requestFrom({ name, gpu: candidate.gpu, cloud: candidate.cloud, storage: volumeGb ? { kind: 'volume', sizeGb: volumeGb } : { kind: 'none' } });
  return { request, bid, limits: limit === 'none' ? undefined : limit, candidate };
}

/** RunPod's own answer, and the nearest price that cannot be outbid. */
async function offerOnDemand(parts: Parts, error: RunPodError, request: CreatePodRequest, limits: GuardWish | undefined, candidate: HardwareAnswer['candidate']): Promise<unknown> {
  const create = l10n.t('Create On Demand ({0})', rate(candidate.perHour));
  const why = error.code === 'no-capacity' ? l10n.t('RunPod gave no spot pod for this bid.') : l10n.t('This account gets no spot pods.');
  const answer = await notice.warn(`${why} ${l10n.t('RunPod says: “{0}”', error.detail ?? messageOf(error))} ${l10n.t('Nearest on demand: {0} at {1}.', candidate.label, rate(candidate.perHour))}`, create);
  if (answer !== create) throw new CancelledError();
  return createAsked(parts, [{ request, label: candidate.label, perHour: candidate.perHour, ...(limits ? { limits } : {}) }]);
}

/** Told only when it was outbid: a stop by hand or by a limit is known to whoever asked for it. */
async function tellEnd(parts: Parts, pod: Pod): Promise<void> {
  const ending = await parts.api
    .client()
    .then((client) => client.spot.ending(pod.id))
    .catch(() => 'unknown' as const);
  if (ending !== 'outbid') return;
  const kept = pod.mount ? l10n.t('{0} is kept.', pod.mount.path) : l10n.t('It had no volume, so nothing is kept.');
  const again = l10n.t('Bid Again…');
  const other = l10n.t('New Spot Pod…');
  const ways = pod.status === 'EXITED' && parts.store.find(pod.id) !== undefined ? [again, other] : [other];
  const answer = await notice.warn(l10n.t('{0} was outbid and has stopped. {1}', pod.name, kept), ...ways);
  if (answer === again) await run('runpod.startPod', { podId: pod.id });
  if (answer === other) await run('runpod.createSpotPod');
}
