import { l10n, type Disposable } from 'vscode';
import { CancelledError, isCancelled, messageOf } from '../../base/errors';
import type { Launch } from '../../pods/launch';
import { choices, command, showError } from '../commands/command';
import type { Parts } from '../parts';
import { folderIn, Plans, profileIn, registerProfiles } from '../profile/commands';
import { confirmPlan } from '../profile/confirm';
import { FolderConsents } from '../profile/consent';
import { ProfileDiagnostics } from '../profile/diagnostics';
import { chosenProfile, madeOf, usable, type Made } from '../profile/made';
import { Launches } from './launches';
import { launchOnSight } from './onSight';
import { LaunchView } from './view';
import { ask } from '../prompts/ask';

/**
 * `runpod.createPodFromFolder(folder, { profile?, confirmed? })`: the pod that a folder's `runpod.json` asks for, with the folder
 * on it, its set-up run, and open. Called again for a folder whose pod is not there yet, it goes on where it stopped.
 * `runpod.resumeLaunch`, `runpod.leaveLaunch`: the same from its rows. And the profiles' own commands.
 */
export function registerLaunches(parts: Parts): Disposable[] {
  const diagnostics = new ProfileDiagnostics();
  const consents = new FolderConsents(parts.context.globalState);
  const plans = new Plans(parts, diagnostics, (made) => launches.begin(made));

  /** @throws CancelledError when the person leaves, or looks at the plan first */
  async function agreed(chosen: Omit<Made, 'plan'>, confirmed: boolean): Promise<Made> {
    const made = await madeOf(await parts.api.client(), chosen, diagnostics);
    usable(made);
    if (!confirmed && (await confirmPlan(made.plan)) === 'plan') {
      plans.show(made);
      throw new CancelledError();
    }
    return made;
  }

  const launches = new Launches(parts, consents, async ({ folder, profile }) => agreed(await chosenProfile(folderIn(folder), profile), false));
  const view = new LaunchView(launches, parts.store);
  parts.watches.useLaunches(launchOnSight(parts, launches, diagnostics));

  return [
    diagnostics,
    launches,
    view,
    takeUp(parts, launches),
    ...registerProfiles(parts, plans),
    command('runpod.createPodFromFolder', parts.log, async (target, options) => {
      const chosen = await chosenProfile(folderIn(target), profileIn(target, options));
      const confirmed = (choices(options) ?? choices(target))?.['confirmed'] === true;
      const unfinished = launches.of(chosen.read.folder.uri, chosen.named.key);
      if (unfinished && (unfinished.podId !== undefined || unfinished.marks.length > 0)) return launches.resume(unfinished, { confirmed });
      return launches.begin(await agreed(chosen, confirmed), { confirmed });
    }),
    command('runpod.resumeLaunch', parts.log, async (target) => launches.resume(await launchOf(launches, target))),
    command('runpod.leaveLaunch', parts.log, async (target) => launches.leave(await launchOf(launches, target))),
  ];
}

/** Once, when it is known which pods there are. */
function takeUp({ store, log }: Parts, launches: Launches): Disposable {
  if (launches.here.length === 0) return { dispose: () => undefined };
  const listener = store.onDidChange(({ phase }) => {
    if (phase !== 'ready') return;
    listener.dispose();
    launches.takeUp().catch((error: unknown) => {
      if (isCancelled(error)) return;
      log.warn(`New pod from a folder: ${messageOf(error)}`);
      void showError(error);
    });
  });
  return listener;
}

/** The launch of a row, or the one there is. */
async function launchOf(launches: Launches, target: unknown): Promise<Launch> {
  const id = choices(target)?.['launchId'];
  const { here } = launches;
  const found = typeof id === 'string' ? launches.find(id) : here.length === 1 ? here[0] : undefined;
  if (found) return found;
  if (here.length === 0 || typeof id === 'string') throw new Error(l10n.t('There is no unfinished pod of a folder in this window.'));
  const picked = await ask.oneOf(here.map((launch) => ({ label: launch.podName ?? launch.profile ?? launch.folder, description: launch.stopped?.why ?? '', launch })), { placeHolder: l10n.t('Which one?') });
  if (!picked) throw new CancelledError();
  return picked.launch;
}
