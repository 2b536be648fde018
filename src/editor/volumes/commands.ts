import { l10n, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import { networkVolumePerMonth } from '../../pods/money';
import { createVolume, VOLUME_LIMITS } from '../../pods/volumes';
import type { CreateNetworkVolumeRequest, DataCenter, NetworkVolume } from '../../runpod/types';
import { choices, command } from '../commands/command';
import type { Parts } from '../parts';
import { BACK, pickStep, textStep, walkThrough } from '../prompts/steps';
import { gigabytes, money } from '../words';
import { VolumesView } from './view';
import { ask } from '../prompts/ask';

/** `runpod.createVolume({name, size, dataCenter, type?})`, `runpod.growVolume(id, {size})`, `runpod.deleteVolume(id, {confirmed})`. */
export function registerVolumes(parts: Parts): Disposable[] {
  const view = new VolumesView(parts.api, parts.store, parts.keys.onDidChange);
  const target = (arg: unknown, question: string): Promise<NetworkVolume> => volumeFor(parts, arg, question);
  return [
    view,
    command('runpod.refreshVolumes', parts.log, async () => {
      await view.refresh();
      return view.volumes;
    }),
    command('runpod.createVolume', parts.log, async (given) => {
      const client = await parts.api.client();
      const ready = choices(given);
      const request = ready && 'name' in ready ? complete(ready) : await askForVolume(parts);
      const volume = await createVolume({ list: () => client.networkVolumes.list(), create: (r) => client.networkVolumes.create(r) }, request);
      await view.refresh();
      return { id: volume.id };
    }),
    command('runpod.growVolume', parts.log, async (arg, options) => {
      const volume = await target(arg, l10n.t('Grow which network volume?'));
      const given = choices(options)?.['size'];
      const size = typeof given === 'number' ? given : await askSize(volume);
      const grown = await (await parts.api.client()).networkVolumes.grow(volume.id, size);
      await view.refresh();
      return { id: grown.id, size: grown.sizeGb };
    }),
    command('runpod.deleteVolume', parts.log, async (arg, options) => {
      const volume = await target(arg, l10n.t('Delete which network volume?'));
      if (choices(options)?.['confirmed'] !== true) await confirmDelete(volume, view.users(volume.id));
      await (await parts.api.client()).networkVolumes.delete(volume.id);
      await view.refresh();
      return { id: volume.id };
    }),
  ];
}

async function volumeFor(parts: Parts, arg: unknown, question: string): Promise<NetworkVolume> {
  const volumes = await (await parts.api.client()).networkVolumes.list();
  const id = typeof arg === 'string' ? arg : typeof arg === 'object' && arg !== null && 'volumeId' in arg ? String(arg.volumeId) : undefined;
  if (id !== undefined) {
    const named = volumes.filter((v) => v.name === id);
    const found = volumes.find((v) => v.id === id) ?? (named.length === 1 ? named[0] : undefined);
    if (!found) throw new Error(l10n.t('There is no network volume {0}.', id));
    return found;
  }
  if (volumes.length === 0) throw new Error(l10n.t('The account has no network volumes.'));
  const picked = await ask.oneOf(volumes.map((volume) => ({ label: volume.name, description: [volume.sizeGb === undefined ? '' : gigabytes(volume.sizeGb), volume.dataCenterId].join(' · '), volume })), { placeHolder: question });
  if (!picked) throw new CancelledError();
  return picked.volume;
}

function complete(given: Readonly<Record<string, unknown>>): CreateNetworkVolumeRequest {
  const { name, size, dataCenter } = given;
  if (typeof name !== 'string' || typeof size !== 'number' || typeof dataCenter !== 'string') throw new Error(l10n.t('createVolume needs name, size (GB) and dataCenter.'));
  return given as unknown as CreateNetworkVolumeRequest;
}

const SIZES = [20, 50, 100, 250, 500, 1000] as const;
const perMonth = (sizeGb: number): string => l10n.t('{0} a month, with or without a pod', money(networkVolumePerMonth({ sizeGb }), { estimate: true }));

async function askForVolume(parts: Parts): Promise<CreateNetworkVolumeRequest> {
  const client = await parts.api.client();
  const centers = client.catalog.dataCenters({ availability: true });
  centers.catch(() => undefined);
  const title = l10n.t('New Network Volume');
  const known = await walkThrough<{ name: string; dataCenter?: string; size?: number }>({ name: 'data' }, [
    async ({ name }) => {
      const answer = await textStep({ title, step: 1, of: 3, prompt: l10n.t('Name of the network volume'), value: name, validate: (t) => (t.trim() === '' ? l10n.t('A volume needs a name.') : undefined) });
      return answer === BACK ? BACK : { name: answer };
    },
    async () => {
      const items = centers.then((all) => all.filter((c) => c.networkVolumeTypes.length > 0).sort(byStock).map((c) => ({ label: c.id, description: c.name, detail: stockIn(c), value: c.id })));
      const answer = await pickStep<string>({ title, step: 2, of: 3, placeholder: l10n.t('Data center: pods with this volume can only be placed there'), items });
      return answer === BACK ? BACK : { dataCenter: answer };
    },
    async () => {
      const answer = await pickStep<number>({ title, step: 3, of: 3, placeholder: l10n.t('Size: it can grow, never shrink'), items: SIZES.map((size) => ({ label: gigabytes(size), description: perMonth(size), value: size })) });
      return answer === BACK ? BACK : { size: answer };
    },
  ]);
  if (known.dataCenter === undefined || known.size === undefined) throw new CancelledError();
  return { name: known.name, size: known.size, dataCenter: known.dataCenter };
}

const freeIn = (c: DataCenter): string[] => (c.gpuAvailability ?? []).filter((g) => g.availability === 'HIGH' || g.availability === 'MEDIUM').map((g) => g.name);
const byStock = (a: DataCenter, b: DataCenter): number => freeIn(b).length - freeIn(a).length || a.id.localeCompare(b.id);

function stockIn(c: DataCenter): string {
  const free = freeIn(c);
  return free.length === 0 ? l10n.t('few GPUs free now') : l10n.t('free now: {0}', free.slice(0, 6).join(', ') + (free.length > 6 ? ` +${free.length - 6}` : ''));
}

async function askSize(volume: NetworkVolume): Promise<number> {
  const now = volume.sizeGb ?? VOLUME_LIMITS.least;
  const text = await ask.text({
    title: l10n.t('Grow {0}', volume.name),
    prompt: l10n.t('New size in GB, now {0}. A volume never shrinks.', now),
    value: String(Math.min(VOLUME_LIMITS.most, now * 2)),
    ignoreFocusOut: true,
    validateInput: (t) => {
      const size = Number(t);
      if (!Number.isInteger(size) || size <= now || size > VOLUME_LIMITS.most) return l10n.t('A whole number above {0}, up to {1}.', now, VOLUME_LIMITS.most);
      return { message: perMonth(size), severity: 1 };
    },
  });
  if (text === undefined) throw new CancelledError();
  return Number(text);
}

/** Everything on it goes for good, perhaps for several pods: its name is typed. */
async function confirmDelete(volume: NetworkVolume, users: readonly string[]): Promise<void> {
  const used = users.length === 0 ? '' : ` ${l10n.t('It is used by {0}.', users.join(', '))}`;
  const text = await ask.text({
    title: l10n.t('Delete {0}', volume.name),
    prompt: l10n.t('Everything on {0}{1} is deleted and cannot be recovered.{2} Type its name to delete it.', volume.name, volume.sizeGb === undefined ? '' : ` (${gigabytes(volume.sizeGb)})`, used),
    placeHolder: volume.name,
    ignoreFocusOut: true,
    validateInput: (t) => (t === volume.name ? undefined : l10n.t('Type {0} to delete it.', volume.name)),
  });
  if (text !== volume.name) throw new CancelledError();
}
