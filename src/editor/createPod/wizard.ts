import { l10n, window } from 'vscode';
import { CancelledError } from '../../base/errors';
import { networkVolumePerMonth, volumeDiskPerMonth } from '../../pods/money';
import { DEFAULT_CPU_IMAGE, DEFAULT_IMAGE, requestFrom, type StorageChoice } from '../../pods/request';
import type { RunPodClient } from '../../runpod/client';
import type { GuardWish } from '../../pods/guard/wish';
import { keyOf, type Candidate, type Catalog } from '../../pods/candidates';
import { WATCH_FOR_MS } from '../../pods/watch';
import type { NetworkVolume, Template } from '../../runpod/types';
import type { Parts } from '../parts';
import { BACK, heading, pickStep, textStep, walkThrough, type Choice } from '../prompts/steps';
import { gigabytes, longTime, money, rate } from '../words';
import { hardwareStep, type HardwareAnswer } from './hardwareStep';
import { limitChoices, settleLimit, type LimitChoice } from '../guard/limitStep';
import { wishText } from '../guard/words';
import type { Asked } from '../../pods/asked';

const LAST = 'runpod.createPod.last';
const STEPS = 5;
const VOLUME_SIZES = [20, 50, 100, 250] as const;

interface Source {
  readonly label: string;
  readonly image?: string;
  readonly templateId?: string;
  /** What a template brings: its own volume. */
  readonly volumeGb?: number;
}

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
  const templates = Promise.all([client.catalog.templates('official').catch(() => []), client.templates.list().catch(() => [])]).then(([official, own]) => ({ official, own }));
  const volumes = client.networkVolumes.list().catch((): NetworkVolume[] => []);
  for (const p of [catalog(1), templates, volumes]) p.catch(() => undefined);

  const title = l10n.t('New Pod');
  const known = await walkThrough<Known>({ name: last?.name ?? 'pod' }, [
    async ({ name }) => {
      const answer = await textStep({ title, step: 1, of: STEPS, prompt: l10n.t('Name of the pod'), value: name, validate: (t) => (t.trim() === '' ? l10n.t('A pod needs a name.') : undefined) });
      return answer === BACK ? BACK : { name: answer };
    },
    async () => {
      const answer = await hardwareStep({ title, step: 2, of: STEPS, catalog, recent, count: 1 });
      return answer === BACK ? BACK : { answer };
    },
    async ({ answer: hardware }) => {
      const cpu = hardware?.candidate.cpu !== undefined;
      const items = templates.then(({ official, own }) => sourceChoices(official, own, cpu));
      const answer = await pickStep<Source>({ title, step: 3, of: STEPS, placeholder: l10n.t('Image or template'), items, active: (s) => s.label === last?.source });
      if (answer === BACK) return BACK;
      return { source: answer.label === OTHER ? await askImage() : answer.label === PUBLIC ? await askPublicTemplate(client, cpu) : answer };
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
  const when = answer.kind === 'take' ? await confirmPrice(name, candidate, storage, limit) : await confirmWatch(name, candidate);
  const key = keyOf(candidate);
  await parts.context.globalState.update(LAST, { name, hardware: [key, ...recent.filter((k) => k !== key)].slice(0, 4), source: source.label, storage, ...(limit === 'none' ? {} : { limit }) } satisfies Last);
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

const OTHER = '\0other';
const PUBLIC = '\0public';

function sourceChoices(official: readonly Template[], own: readonly Template[], cpu: boolean): Choice<Source>[] {
  const rows = (templates: readonly Template[]): Choice<Source>[] => templates.filter((t) => fits(t, cpu)).map(templateRow);
  const image = cpu ? DEFAULT_CPU_IMAGE : DEFAULT_IMAGE;
  const standard: Choice<Source> = { label: cpu ? l10n.t('RunPod Base (Ubuntu 24.04)') : l10n.t('RunPod PyTorch'), description: image, value: { label: image, image } };
  return [
    standard,
    ...(own.some((t) => fits(t, cpu)) ? [heading<Source>(l10n.t('Your Templates')), ...rows(own)] : []),
    ...(official.some((t) => fits(t, cpu)) ? [heading<Source>(l10n.t('RunPod’s Templates')), ...rows(official)] : []),
    heading<Source>(l10n.t('Other')),
    { label: l10n.t('Image…'), description: l10n.t('by its full name and tag'), value: { label: OTHER } },
    { label: l10n.t('More Public Templates…'), description: l10n.t('verified by RunPod or shared by others'), value: { label: PUBLIC } },
  ];
}

/** Anybody can share a template, so it is said which are RunPod’s word and which are not. */
async function askPublicTemplate(client: RunPodClient, cpu: boolean): Promise<Source> {
  const [verified, community] = await Promise.all([client.catalog.templates('verified').catch(() => []), client.catalog.templates('community').catch(() => [])]);
  const rows = (templates: readonly Template[]): Choice<Source>[] => templates.filter((t) => fits(t, cpu)).map(templateRow);
  const items = [heading<Source>(l10n.t('Verified')), ...rows(verified), heading<Source>(l10n.t('Shared by Others: What Runs in Them Is Theirs')), ...rows(community)];
  const picked = await window.showQuickPick(items, { title: l10n.t('Public Templates'), placeHolder: l10n.t('Name or image'), matchOnDescription: true, ignoreFocusOut: true });
  if (!picked?.value) throw new CancelledError();
  return picked.value;
}

const fits = (t: Template, cpu: boolean): boolean => !t.serverless && (t.category === undefined || (cpu ? t.category === 'CPU' : t.category !== 'CPU'));
const templateRow = (t: Template): Choice<Source> => ({
  label: t.name,
  description: t.image,
  value: { label: t.name, templateId: t.id, ...(t.mount?.kind === 'persistent' ? { volumeGb: t.mount.sizeGb } : {}) },
});

async function askImage(): Promise<Source> {
  const image = await window.showInputBox({
    title: l10n.t('New Pod'),
    prompt: l10n.t('Image for linux/amd64, with its tag. It must start an SSH server for PUBLIC_KEY, as RunPod’s own images do.'),
    value: DEFAULT_IMAGE,
    ignoreFocusOut: true,
    validateInput: (text) => (/^\S+$/.test(text.trim()) ? undefined : l10n.t('An image name has no spaces.')),
  });
  if (!image) throw new CancelledError();
  return { label: image.trim(), image: image.trim() };
}

function storageChoices(volumes: readonly NetworkVolume[], hardware: Candidate | undefined, source: Source | undefined): Choice<StorageChoice>[] {
  const cpu = hardware?.cpu !== undefined;
  const disks: Choice<StorageChoice>[] = cpu
    ? []
    : VOLUME_SIZES.map((sizeGb) => ({
        label: l10n.t('{0} volume', gigabytes(sizeGb)),
        description: l10n.t('{0} a month, twice that while stopped', money(volumeDiskPerMonth(sizeGb), { estimate: true })),
        detail: l10n.t('Survives a stop: yes. Survives a terminate: no.'),
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
                  detail: l10n.t('Survives a stop: yes. Survives a terminate: yes. The pod is placed in {0}.', v.dataCenterId),
                  value: { kind: 'network', volumeId: v.id, dataCenter: v.dataCenterId } as const,
                },
              ],
        );
  const none: Choice<StorageChoice> = {
    label: source?.volumeGb !== undefined && !cpu ? l10n.t('As the template says ({0} volume)', gigabytes(source.volumeGb)) : l10n.t('No volume'),
    description: source?.volumeGb !== undefined && !cpu ? money(volumeDiskPerMonth(source.volumeGb), { estimate: true }) : '',
    detail: source?.volumeGb !== undefined && !cpu ? l10n.t('Survives a stop: yes. Survives a terminate: no.') : l10n.t('Survives a stop: no. Everything is lost when the pod stops.'),
    value: { kind: 'none' },
  };
  return [
    ...disks,
    ...(network.length > 0 ? [heading<StorageChoice>(l10n.t('Network Volumes')), ...network] : []),
    heading<StorageChoice>(l10n.t('Other')),
    none,
  ];
}

async function confirmPrice(name: string, hardware: Candidate, storage: StorageChoice, limit: GuardWish | 'none'): Promise<'now'> {
  const create = l10n.t('Create {0}', name);
  const month = storage.kind === 'volume' ? l10n.t(' + {0} a month for {1}', money(volumeDiskPerMonth(storage.sizeGb), { estimate: true }), '/workspace') : '';
  const answer = await window.showQuickPick(
    [
      { label: create, description: `${hardware.label} · ${rate(hardware.perHour)}${month}`, detail: limitDetail(hardware, limit) },
      { label: l10n.t('Cancel') },
    ],
    { title: l10n.t('New Pod'), placeHolder: l10n.t('{0}: {1}, {2}', name, hardware.label, rate(hardware.perHour)), ignoreFocusOut: true },
  );
  if (answer?.label !== create) throw new CancelledError();
  return 'now';
}

function limitDetail(hardware: Candidate, limit: GuardWish | 'none'): string {
  if (limit === 'none') return l10n.t('Bills by the second until it is stopped. No limit stops it by itself.');
  const cost = limit.limitMinutes === undefined || hardware.perHour === undefined ? '' : l10n.t(', about {0}', money((hardware.perHour * limit.limitMinutes) / 60, { estimate: true }));
  return `${l10n.t('Bills by the second: {0}', wishText(limit))}${cost}`;
}

/** Nothing is free now: what is to happen once it is. */
async function confirmWatch(name: string, hardware: Candidate): Promise<'create-on-sight' | 'tell-on-sight'> {
  const tell = { label: l10n.t('Tell Me'), description: l10n.t('nothing is bought unasked'), detail: l10n.t('For {0} at most.', longTime(WATCH_FOR_MS)), when: 'tell-on-sight' as const };
  const create = {
    label: l10n.t('Create {0} as Soon as One Is Free', name),
    description: l10n.t('at {0} or less', rate(hardware.perHour)),
    detail: l10n.t('Also after a restart of the editor, while one of its windows is open, for {0} at most. It bills from then on.', longTime(WATCH_FOR_MS)),
    when: 'create-on-sight' as const,
  };
  const answer = await window.showQuickPick(hardware.perHour === undefined ? [tell] : [tell, create], {
    title: l10n.t('Watch for {0}', hardware.label),
    placeHolder: l10n.t('What to do when {0} is free', hardware.label),
    ignoreFocusOut: true,
  });
  if (!answer) throw new CancelledError();
  return answer.when;
}
