import { l10n, workspace } from 'vscode';
import { CancelledError } from '../../base/errors';
import { networkVolumePerMonth, volumeDiskPerMonth } from '../../pods/money';
import { uniqueName } from '../../pods/create';
import { DEFAULT_IMAGE, requestFrom, type StorageChoice } from '../../pods/request';
import type { RunPodClient } from '../../runpod/client';
import type { GuardWish } from '../../pods/guard/wish';
import { keyOf, type Candidate, type Catalog } from '../../pods/candidates';
import type { NetworkVolume } from '../../runpod/types';
import type { Parts } from '../parts';
import { BACK, heading, pickStep, textStep, walkThrough, type Choice } from '../prompts/steps';
import { gigabytes, money, rate } from '../words';
import { confirmWatch } from './confirmWatch';
import { hardwareStep, type HardwareAnswer } from './hardwareStep';
import { readTemplates, sourceStep, type Source } from './sourceStep';
import { limitChoices, settleLimit, type LimitChoice } from '../guard/limitStep';
import { wishText } from '../guard/words';
import type { Asked } from '../../pods/asked';
import { ask } from '../prompts/ask';

const LAST = 'runpod.createPod.last';
const STEPS = 5;
const VOLUME_SIZES = [20, 50, 100, 250] as const;

/** What was asked for, and whether to create it now or to wait for its hardware. */
export interface Answer {
  readonly asked: readonly Asked[];
  readonly when: 'now' | 'create-on-sight' | 'tell-on-sight';
}

interface Known {
  readonly name: string;
  readonly answer?: HardwareAnswer;
  readonly source?: Source;
  readonly storage?: StorageChoice;
  /** `none`: agreed to be without. */
  readonly limit?: GuardWish | 'none';
}

/** What was chosen last, to begin on next time. */
interface Last {
  readonly name: string;
  /** The latest first. */
  readonly hardware: readonly string[];
  readonly source: string;
  readonly storage: StorageChoice;
  readonly limit?: GuardWish;
}

/**
 * Asks for a pod in five steps and one line that names the price; Enter six times repeats the last one.
 * @throws CancelledError when the person leaves
 */
export async function askForPod(parts: Parts): Promise<Answer> {
  const client = await parts.api.client();
  const last = parts.context.globalState.get<Last>(LAST);
  const recent = last?.hardware ?? [];
  // All of it is asked for at once, while the person is still typing the name.
  const catalog = catalogReader(client);
  const templates = readTemplates(client);
  const volumes = client.networkVolumes.list().catch((): NetworkVolume[] => []);
  for (const p of [catalog(1), templates, volumes]) p.catch(() => undefined);

  const title = l10n.t('New Pod');
  // What it would be called in the end stands there from the start.
  const base = last?.name ?? workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.name ?? 'pod';
  const suggested = uniqueName(base, parts.store.state.rows);
  const known = await walkThrough<Known>({ name: suggested }, [
    async ({ name }) => {
      const answer = await textStep({ title, step: 1, of: STEPS, prompt: l10n.t('Name of the pod'), value: name, validate: (t) => (t.trim() === '' ? l10n.t('A pod needs a name.') : undefined) });
      return answer === BACK ? BACK : { name: answer };
    },
    async () => {
      const answer = await hardwareStep({ title, step: 2, of: STEPS, catalog, recent, count: 1 });
      return answer === BACK ? BACK : { answer };
    },
    async ({ answer: hardware }) => {
      const source = await sourceStep({ title, step: 3, of: STEPS, client, templates, cpu: hardware?.candidate.cpu !== undefined, last: last?.source });
      return source === BACK ? BACK : { source };
    },
    async ({ answer: hardware, source }) => {
      const items = volumes.then((v) => storageChoices(v, hardware?.candidate, source));
      const answer = await pickStep<StorageChoice>({ title, step: 4, of: STEPS, placeholder: l10n.t('Storage for {0}', '/workspace'), items, active: (s) => JSON.stringify(s) === JSON.stringify(last?.storage) });
      return answer === BACK ? BACK : { storage: answer };
    },
    async ({ answer: hardware, storage }) => {
      const perHour = hardware?.candidate.perHour;
      const items = limitChoices(perHour, storage?.kind !== 'none');
      const answer = await pickStep<LimitChoice>({ title, step: 5, of: STEPS, placeholder: l10n.t('When it ends by itself, also with this computer off'), items, active: (c) => c.kind === 'limit' && JSON.stringify(c.wish) === JSON.stringify(last?.limit) });
      return answer === BACK ? BACK : { limit: (await settleLimit(answer, perHour)) ?? 'none' };
    },
  ]);
  const { name, answer, source, storage, limit } = known;
  if (!answer || !source || !storage || !limit) throw new CancelledError();
  const { candidate } = answer;
  const when = answer.kind === 'take' ? await confirmPrice(name, candidate, source.label, storage, limit) : await confirmWatch([{ request: { name }, label: candidate.label, perHour: candidate.perHour }]);
  const key = keyOf(candidate);
  await parts.context.globalState.update(LAST, { name: name === suggested ? base : name, hardware: [key, ...recent.filter((k) => k !== key)].slice(0, 4), source: source.label, storage, ...(limit === 'none' ? {} : { limit }) } satisfies Last);
  const { cloud, gpu, cpu } = candidate;
  const request = requestFrom({ name, cloud, storage, ...(gpu ? { gpu } : {}), ...(cpu ? { cpu } : {}), ...(source.templateId ? { templateId: source.templateId } : { image: source.image ?? DEFAULT_IMAGE }) });
  return { asked: [{ request, label: candidate.label, perHour: candidate.perHour, ...(limit === 'none' ? {} : { limits: limit }) }], when };
}

/** Reads the catalog once for each number of GPUs: the stock depends on it. */
export function catalogReader(client: RunPodClient): (count: number) => Promise<Catalog> {
  const read = new Map<number, Promise<Catalog>>();
  const cpus = client.catalog.cpus({ availability: {} }).catch(() => []);
  return (count) => {
    let answer = read.get(count);
    if (!answer) {
      answer = Promise.all([
        client.catalog.gpus({ availability: { cloud: 'SECURE', count } }),
        client.catalog.gpus({ availability: { cloud: 'COMMUNITY', count } }).catch(() => []),
        cpus,
      ]).then(([secure, community, flavors]) => ({ secure, community, cpus: flavors }));
      read.set(count, answer);
    }
    return answer;
  };
}

function storageChoices(volumes: readonly NetworkVolume[], hardware: Candidate | undefined, source: Source | undefined): Choice<StorageChoice>[] {
  const cpu = hardware?.cpu !== undefined;
  const disks: Choice<StorageChoice>[] = cpu
    ? []
    : VOLUME_SIZES.map((sizeGb) => ({
        label: l10n.t('{0} volume', gigabytes(sizeGb)),
        description: l10n.t('{0} a month, twice that while stopped', money(volumeDiskPerMonth(sizeGb), { estimate: true })),
        detail: l10n.t('Survives a stop, not a terminate.'),
        value: { kind: 'volume', sizeGb },
      }));
  const network: Choice<StorageChoice>[] =
    hardware?.cloud === 'COMMUNITY'
      ? []
      : volumes.flatMap((v) =>
          v.sizeGb === undefined || v.dataCenterId === undefined
            ? []
            : [
                {
                  label: l10n.t('{0} ({1} network volume)', v.name, gigabytes(v.sizeGb)),
                  description: l10n.t('{0} · {1} a month already', v.dataCenterId, money(networkVolumePerMonth({ sizeGb: v.sizeGb }), { estimate: true })),
                  detail: l10n.t('Survives a stop and a terminate. The pod is placed in {0}.', v.dataCenterId),
                  value: { kind: 'network', volumeId: v.id, dataCenter: v.dataCenterId } as const,
                },
              ],
        );
  const none: Choice<StorageChoice> = {
    label: source?.volumeGb !== undefined && !cpu ? l10n.t('As the template says ({0} volume)', gigabytes(source.volumeGb)) : l10n.t('No volume'),
    description: source?.volumeGb !== undefined && !cpu ? l10n.t('{0} a month, twice that while stopped', money(volumeDiskPerMonth(source.volumeGb), { estimate: true })) : '',
    detail: source?.volumeGb !== undefined && !cpu ? l10n.t('Survives a stop, not a terminate.') : l10n.t('Everything is lost when the pod stops.'),
    value: { kind: 'none' },
  };
  return [
    ...disks,
    ...(network.length > 0 ? [heading<StorageChoice>(l10n.t('Network Volumes')), ...network] : []),
    heading<StorageChoice>(l10n.t('Other')),
    none,
  ];
}

async function confirmPrice(name: string, hardware: Candidate, image: string, storage: StorageChoice, limit: GuardWish | 'none'): Promise<'now'> {
  const create = l10n.t('Create {0}', name);
  const month = storage.kind === 'volume' ? l10n.t(' + {0} a month for {1}', money(volumeDiskPerMonth(storage.sizeGb), { estimate: true }), '/workspace') : '';
  const answer = await ask.oneOf(
    [
      { label: create, description: `${hardware.label} · ${rate(hardware.perHour)}${month}`, detail: limitDetail(hardware, limit) },
      { label: l10n.t('Cancel') },
    ],
    { title: l10n.t('New Pod'), placeHolder: `${name}: ${image}`, ignoreFocusOut: true },
  );
  if (answer?.label !== create) throw new CancelledError();
  return 'now';
}

function limitDetail(hardware: Candidate, limit: GuardWish | 'none'): string {
  if (limit === 'none') return l10n.t('Bills by the second until it is stopped. No limit stops it by itself.');
  const cost = limit.limitMinutes === undefined || hardware.perHour === undefined ? '' : l10n.t(', {0}', money((hardware.perHour * limit.limitMinutes) / 60, { estimate: true }));
  return `${l10n.t('Bills by the second: {0}', wishText(limit))}${cost}`;
}
