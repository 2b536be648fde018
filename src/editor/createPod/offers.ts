import { l10n } from 'vscode';
import { CancelledError } from '../../base/errors';
import { isFullyBooked, type CreateJournal } from '../../pods/create';
import { inOtherCloud, inOtherDataCenters, onHardware } from '../../pods/waysOut';
import type { Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import { BACK } from '../prompts/steps';
import { rate } from '../words';
import { confirmWatch } from './confirmWatch';
import { hardwareStep } from './hardwareStep';
import type { Asked } from '../../pods/asked';
import { place } from './place';
import { catalogReader } from './wizard';
import { notice } from '../prompts/notice';

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
      if (!isFullyBooked(error)) throw error;
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
  const anywhere = inOtherDataCenters(asked);
  if (anywhere) ways.push({ title: l10n.t('Try Other Data Centers'), go: async () => anywhere });
  const other = await inOtherCloud(asked, (cloud, count) => catalog(count).then((c) => (cloud === 'SECURE' ? c.secure : c.community))).catch(() => undefined);
  if (other) ways.push({ title: other[0]?.request.cloud === 'COMMUNITY' ? l10n.t('Try Community Cloud ({0})', rate(other[0].perHour)) : l10n.t('Try Secure Cloud ({0})', rate(other[0]?.perHour)), go: async () => other });
  ways.push({ title: l10n.t('Other GPU…'), go: () => anotherGpu(asked, catalog) });
  const watched = asked.filter((a) => a.request.gpu);
  if (watched.length > 0) ways.push({ title: l10n.t('Watch'), go: async () => (await parts.watches.add(watched, (await confirmWatch(watched)) === 'create-on-sight')).id });
  const labels = [...new Set(asked.map((a) => a.label))].join(', ');
  const places = asked[0]?.request.dataCenterIds?.join(', ');
  const message = places === undefined ? l10n.t('No {0} free right now.', labels) : l10n.t('No {0} free in {1} right now.', labels, places);
  const answer = await notice.warn(message, ...ways.map((w) => w.title));
  const way = ways.find((w) => w.title === answer);
  if (!way) throw new CancelledError();
  return way.go();
}

async function anotherGpu(asked: readonly Asked[], catalog: ReturnType<typeof catalogReader>): Promise<readonly Asked[]> {
  const base = asked[0]?.request;
  if (!base) throw new CancelledError();
  const network = base.mounts?.network !== undefined;
  const answer = await hardwareStep({ title: l10n.t('Other GPU for {0}', base.name), step: 1, of: 1, catalog, recent: [], count: base.gpu?.count ?? 1, ...(network && base.dataCenterIds ? { dataCenterIds: base.dataCenterIds } : {}) });
  if (answer === BACK) throw new CancelledError();
  return onHardware(asked, answer.candidate);
}
