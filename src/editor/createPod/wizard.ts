import { l10n, window } from 'vscode';
import { CancelledError } from '../../base/errors';
import { networkVolumePerMonth, volumeDiskPerMonth } from '../../pods/money';
import { DEFAULT_CPU_IMAGE, DEFAULT_IMAGE, requestFrom, type StorageChoice } from '../../pods/request';
import type { RunPodClient } from '../../runpod/client';
import type { CreatePodRequest, NetworkVolume, Template } from '../../runpod/types';
import type { Parts } from '../parts';
import { BACK, heading, pickStep, textStep, walkThrough, type Choice } from '../prompts/steps';
import { gigabytes, money, rate } from '../words';
import { hardwareChoices, keyOf, type Catalog, type Hardware } from './hardwareStep';

const LAST = 'runpod.createPod.last';
const STEPS = 4;
const VOLUME_SIZES = [20, 50, 100, 250] as const;

interface Source {
  readonly label: string;
  readonly image?: string;
  readonly templateId?: string;
  /** What a template brings: its own volume. */
  readonly volumeGb?: number;
}

interface Known {
  readonly name: string;
  readonly hardware?: Hardware;
  readonly source?: Source;
  readonly storage?: StorageChoice;
}

/** What was chosen last, to begin on next time. */
interface Last {
  readonly name: string;
  readonly hardware: string;
  readonly source: string;
  readonly storage: StorageChoice;
}

/**
 * Asks for a pod in four steps and one line that names the price; Enter five times repeats the last one.
 * @throws CancelledError when the person leaves
 */
export async function askForPod(parts: Parts): Promise<CreatePodRequest> {
  const client = await parts.api.client();
  const last = parts.context.globalState.get<Last>(LAST);
  // All of it is asked for at once, while the person is still typing the name.
  const catalog = readCatalog(client);
  const templates = Promise.all([client.catalog.templates('official').catch(() => []), client.templates.list().catch(() => [])]).then(([official, own]) => ({ official, own }));
  const volumes = client.networkVolumes.list().catch((): NetworkVolume[] => []);
  for (const p of [catalog, templates, volumes]) p.catch(() => undefined);

  const title = l10n.t('New Pod');
  const known = await walkThrough<Known>({ name: last?.name ?? 'pod' }, [
    async ({ name }) => {
      const answer = await textStep({ title, step: 1, of: STEPS, prompt: l10n.t('Name of the pod'), value: name, validate: (t) => (t.trim() === '' ? l10n.t('A pod needs a name.') : undefined) });
      return answer === BACK ? BACK : { name: answer };
    },
    async () => {
      const items = catalog.then((c) => hardwareChoices(c, last?.hardware));
      const answer = await pickStep<Hardware>({ title, step: 2, of: STEPS, placeholder: l10n.t('Hardware: type a name, memory or price'), items });
      return answer === BACK ? BACK : { hardware: answer };
    },
    async ({ hardware }) => {
      const items = templates.then(({ official, own }) => sourceChoices(official, own, hardware?.cpu !== undefined));
      const answer = await pickStep<Source>({ title, step: 3, of: STEPS, placeholder: l10n.t('Image or template'), items, active: (s) => s.label === last?.source });
      if (answer === BACK) return BACK;
      return { source: answer.label === OTHER ? await askImage() : answer };
    },
    async ({ hardware, source }) => {
      const items = volumes.then((v) => storageChoices(v, hardware, source));
      const answer = await pickStep<StorageChoice>({ title, step: 4, of: STEPS, placeholder: l10n.t('Storage for {0}', '/workspace'), items, active: (s) => JSON.stringify(s) === JSON.stringify(last?.storage) });
      return answer === BACK ? BACK : { storage: answer };
    },
  ]);
  const { name, hardware, source, storage } = known;
  if (!hardware || !source || !storage) throw new CancelledError();
  await confirmPrice(name, hardware, storage);
  await parts.context.globalState.update(LAST, { name, hardware: keyOf(hardware), source: source.label, storage } satisfies Last);
  const { cloud, gpu, cpu } = hardware;
  return requestFrom({ name, cloud, storage, ...(gpu ? { gpu } : {}), ...(cpu ? { cpu } : {}), ...(source.templateId ? { templateId: source.templateId } : { image: source.image ?? DEFAULT_IMAGE }) });
}

async function readCatalog(client: RunPodClient): Promise<Catalog> {
  const [secure, community, cpus] = await Promise.all([
    client.catalog.gpus({ availability: { cloud: 'SECURE', count: 1 } }),
    client.catalog.gpus({ availability: { cloud: 'COMMUNITY', count: 1 } }).catch(() => []),
    client.catalog.cpus({ availability: {} }).catch(() => []),
  ]);
  return { secure, community, cpus };
}

const OTHER = '\0other';

function sourceChoices(official: readonly Template[], own: readonly Template[], cpu: boolean): Choice<Source>[] {
  const fits = (t: Template): boolean => !t.serverless && (t.category === undefined || (cpu ? t.category === 'CPU' : t.category !== 'CPU'));
  const rows = (templates: readonly Template[]): Choice<Source>[] =>
    templates.filter(fits).map((t) => ({
      label: t.name,
      description: t.image,
      value: { label: t.name, templateId: t.id, ...(t.mount?.kind === 'persistent' ? { volumeGb: t.mount.sizeGb } : {}) },
    }));
  const image = cpu ? DEFAULT_CPU_IMAGE : DEFAULT_IMAGE;
  const standard: Choice<Source> = { label: cpu ? l10n.t('RunPod Base (Ubuntu 24.04)') : l10n.t('RunPod PyTorch'), description: image, value: { label: image, image } };
  return [
    standard,
    ...(own.some(fits) ? [heading<Source>(l10n.t('Your Templates')), ...rows(own)] : []),
    ...(official.some(fits) ? [heading<Source>(l10n.t('RunPod’s Templates')), ...rows(official)] : []),
    heading<Source>(l10n.t('Other')),
    { label: l10n.t('Image…'), description: l10n.t('by its full name and tag'), value: { label: OTHER } },
  ];
}

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

function storageChoices(volumes: readonly NetworkVolume[], hardware: Hardware | undefined, source: Source | undefined): Choice<StorageChoice>[] {
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

async function confirmPrice(name: string, hardware: Hardware, storage: StorageChoice): Promise<void> {
  const create = l10n.t('Create {0}', name);
  const month = storage.kind === 'volume' ? l10n.t(' + {0} a month for {1}', money(volumeDiskPerMonth(storage.sizeGb), { estimate: true }), '/workspace') : '';
  const answer = await window.showQuickPick(
    [
      { label: create, description: `${hardware.label} · ${rate(hardware.perHour)}${month}`, detail: l10n.t('Bills by the second until it is stopped. No limit stops it by itself.') },
      { label: l10n.t('Cancel') },
    ],
    { title: l10n.t('New Pod'), placeHolder: l10n.t('{0}: {1}, {2}', name, hardware.label, rate(hardware.perHour)), ignoreFocusOut: true },
  );
  if (answer?.label !== create) throw new CancelledError();
}
