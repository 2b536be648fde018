import { l10n, window } from 'vscode';
import { CancelledError } from '../../base/errors';
import { NothingPlacedError, type CreateJournal } from '../../pods/create';
import { gpuCandidate } from '../../pods/candidates';
import type { Cloud, Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import { BACK } from '../prompts/steps';
import { rate } from '../words';
import { hardwareStep } from './hardwareStep';
import type { Asked } from '../../pods/asked';
import { place } from './place';
import { catalogReader } from './wizard';

/**
 * Creates one of what was asked; where no machine is free, says so and offers other data centers, the other cloud, another
 * GPU, or to watch, until something is placed or the person leaves.
 * @throws CancelledError; whatever else keeps a pod from being made
 */
export async function placeOrOffer(parts: Parts, asked: readonly Asked[], journal?: CreateJournal): Promise<{ readonly pod: Pod } | { readonly watch: string }> {
  for (let now = asked; ; ) {
    try {
      return { pod: await place(parts, now, journal) };
    } catch (error) {
      if (!(error instanceof NothingPlacedError) || !error.refusals.some((r) => r.code === 'no-capacity')) throw error;
      const next = await offer(parts, now);
      if (typeof next === 'string') return { watch: next };
      now = next;
    }
  }
}

interface WayOut {
  readonly title: string;
  readonly go: () => Promise<readonly Asked[] | string>;
}

async function offer(parts: Parts, asked: readonly Asked[]): Promise<readonly Asked[] | string> {
  const catalog = catalogReader(await parts.api.client());
  const ways: WayOut[] = [];
  const pinned = asked.filter((a) => a.request.dataCenterIds !== undefined && a.request.mounts?.network === undefined);
  if (pinned.length > 0)
    ways.push({ title: l10n.t('Try Other Data Centers'), go: async () => asked.map((a) => (a.request.mounts?.network ? a : { ...a, request: withoutPlaces(a.request) })) });
  const other = await inOtherCloud(asked, catalog).catch(() => undefined);
  if (other) ways.push({ title: other[0]?.request.cloud === 'COMMUNITY' ? l10n.t('Try Community Cloud ({0})', rate(other[0].perHour)) : l10n.t('Try Secure Cloud ({0})', rate(other[0]?.perHour)), go: async () => other });
  ways.push({ title: l10n.t('Other GPU…'), go: () => anotherGpu(asked, catalog) });
  if (asked.some((a) => a.request.gpu)) ways.push({ title: l10n.t('Watch'), go: async () => (await parts.watches.add(asked.filter((a) => a.request.gpu), false)).id });
  const labels = [...new Set(asked.map((a) => a.label))].join(', ');
  const places = asked[0]?.request.dataCenterIds?.join(', ');
  const message = places === undefined ? l10n.t('No {0} free right now.', labels) : l10n.t('No {0} free in {1} right now.', labels, places);
  const answer = await window.showWarningMessage(message, ...ways.map((w) => w.title));
  const way = ways.find((w) => w.title === answer);
  if (!way) throw new CancelledError();
  return way.go();
}

function withoutPlaces<T extends { readonly dataCenterIds?: readonly string[] }>({ dataCenterIds: _, ...rest }: T): Omit<T, 'dataCenterIds'> {
  return rest;
}

/** The same hardware in the cloud that was not asked, where that has it; a network volume and CPU pods are of Secure Cloud. */
async function inOtherCloud(asked: readonly Asked[], catalog: ReturnType<typeof catalogReader>): Promise<readonly [Asked, ...Asked[]] | undefined> {
  const tried = new Set(asked.map((a) => a.request.cloud ?? 'SECURE'));
  if (tried.size > 1 || asked.some((a) => a.request.mounts?.network)) return undefined;
  const cloud: Cloud = tried.has('SECURE') ? 'COMMUNITY' : 'SECURE';
  const found: Asked[] = [];
  for (const a of asked) {
    const { gpu } = a.request;
    if (!gpu) continue;
    const types = await catalog(gpu.count).then((c) => (cloud === 'SECURE' ? c.secure : c.community));
    const type = types.find((t) => t.id === gpu.id);
    const candidate = type && gpuCandidate(type, cloud, gpu.count);
    if (candidate && candidate.stock !== 'NONE') found.push({ ...a, request: { ...withoutPlaces(a.request), cloud }, label: candidate.label, perHour: candidate.perHour });
  }
  const [first, ...rest] = found;
  return first && [first, ...rest];
}

async function anotherGpu(asked: readonly Asked[], catalog: ReturnType<typeof catalogReader>): Promise<readonly Asked[]> {
  const base = asked[0]?.request;
  if (!base) throw new CancelledError();
  const network = base.mounts?.network !== undefined;
  const answer = await hardwareStep({ title: l10n.t('Other GPU for {0}', base.name), step: 1, of: 1, catalog, recent: [], count: base.gpu?.count ?? 1, ...(network && base.dataCenterIds ? { dataCenterIds: base.dataCenterIds } : {}) });
  if (answer === BACK) throw new CancelledError();
  const { candidate } = answer;
  const { gpu: _gpu, cpu: _cpu, dataCenterIds, ...rest } = base;
  const request = { ...rest, cloud: candidate.cloud, ...(candidate.gpu ? { gpu: candidate.gpu } : {}), ...(candidate.cpu ? { cpu: candidate.cpu } : {}), ...(network && dataCenterIds ? { dataCenterIds } : {}) };
  return [{ ...asked[0], request, label: candidate.label, perHour: candidate.perHour }];
}
