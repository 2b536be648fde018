import { commands, l10n, ThemeIcon, type Disposable, type Uri } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { Asked } from '../../pods/asked';
import { wishAmong, WISH_FIELDS, type GuardWish } from '../../pods/guard/wish';
import type { CreatePodRequest, Pod } from '../../runpod/types';
import { choices, command, run } from '../commands/command';
import { showUntilReady } from '../commands/untilReady';
import type { CommandId } from '../ids';
import type { Parts } from '../parts';
import { foldersWithProfiles, readFolder, summaryOf } from '../profile/folder';
import { placeOrOffer } from './offers';
import { place } from './place';
import { askForPod } from './wizard';
import { ask } from '../prompts/ask';

export function registerCreatePod(parts: Parts): Disposable[] {
  parts.watches.start(async (_order, asked) => void afterCreate(parts, await place(parts, asked), { asked: true }));
  return [
    command('runpod.createPod', parts.log, async (given) => {
      const ready = choices(given);
      if (ready) {
        const { request, limits } = complete(ready);
        const pod = await place(parts, [{ request, label: request.gpu?.id ?? request.cpu?.id ?? '', perHour: undefined, ...(limits ? { limits } : {}) }]);
        void afterCreate(parts, pod, { asked: false });
        return { id: pod.id };
      }
      const folder = await askWhereFrom();
      if (folder) return commands.executeCommand<unknown>('runpod.createPodFromFolder' satisfies CommandId, folder.uri, folder.key === undefined ? {} : { profile: folder.key });
      const answer = await askForPod(parts);
      if (answer.when !== 'now') {
        const order = await parts.watches.add(answer.asked, answer.when === 'create-on-sight');
        return { watch: order.id };
      }
      return createAsked(parts, answer.asked);
    }),
    command('runpod.watches', parts.log, () => parts.watches.manage()),
  ];
}

/** Where folders of this window hold profiles, they come first; undefined to choose by hand, as when there are none. */
async function askWhereFrom(): Promise<{ readonly uri: Uri; readonly key: string | undefined } | undefined> {
  const folders = await foldersWithProfiles();
  if (folders.length === 0) return undefined;
  const read = await Promise.all(folders.map((f) => readFolder(f)));
  const rows = read.flatMap(({ folder, profiles }) =>
    // A file with something wrong in it is offered as well: choosing it says what.
    profiles.length === 0
      ? [{ label: 'runpod.json', iconPath: new ThemeIcon('warning'), description: folder.name, from: { uri: folder.uri, key: undefined } }]
      : profiles.map((p) => ({ label: p.key ?? folder.name, iconPath: new ThemeIcon('file-code'), description: `${summaryOf(p)}${folders.length > 1 ? ` · ${folder.name}` : ''}`, from: { uri: folder.uri, key: p.key } })),
  );
  const byHand = { label: l10n.t('Choose by Hand…'), iconPath: new ThemeIcon('list-selection'), description: l10n.t('hardware, image and storage'), from: undefined };
  const picked = await ask.oneOf([...rows, byHand], { title: l10n.t('New Pod'), placeHolder: l10n.t('Start from a profile of this folder, or choose by hand'), matchOnDescription: true, ignoreFocusOut: true });
  if (!picked) throw new CancelledError();
  return picked.from;
}

/** Creates what a person has agreed to, offers ways out where nothing is free, and shows the wait until it is ready. */
export async function createAsked(parts: Parts, asked: readonly Asked[]): Promise<{ id: string } | { watch: string } | undefined> {
  const result = await placeOrOffer(parts, asked);
  if (!('pod' in result)) return result;
  void afterCreate(parts, result.pod, { asked: true });
  return { id: result.pod.id };
}

async function afterCreate(parts: Parts, pod: Pod, options: { readonly asked: boolean }): Promise<void> {
  if (options.asked) parts.podLogs.show(pod.id, pod.name);
  await showUntilReady(parts, pod.id, pod.name, {
    // A pod that nobody waits for any more, just made, would bill unseen: leaving the wait ends it.
    ...(options.asked ? { onCancel: () => run('runpod.terminatePod', { podId: pod.id }, { confirmed: true }) } : {}),
  });
}

/**
 * What `runpod.createPod` takes when nothing is to be asked: v2's own fields, with `image` or `templateId`, `gpu` or `cpu`; and
 * when the pod is to end by itself: `timeLimitMinutes`, `idleStopMinutes`, `budgetUsd`, `atLimit` (`stop` or `terminate`).
 */
function complete(given: Readonly<Record<string, unknown>>): { readonly request: CreatePodRequest; readonly limits: GuardWish | undefined } {
  const limits = wishAmong(given);
  if (typeof given['name'] !== 'string' || given['name'].trim() === '') throw new Error(l10n.t('createPod needs a name.'));
  if (given['image'] === undefined && given['templateId'] === undefined) throw new Error(l10n.t('createPod needs an image or a templateId.'));
  if ((given['gpu'] === undefined) === (given['cpu'] === undefined)) throw new Error(l10n.t('createPod needs either gpu or cpu.'));
  // The rest is RunPod's contract; it answers 422 with the exact field where something is off.
  const request = Object.fromEntries(Object.entries(given).filter(([name]) => !(WISH_FIELDS as readonly string[]).includes(name)));
  return { request: request as unknown as CreatePodRequest, limits };
}
