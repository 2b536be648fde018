import { commands, Uri, l10n, ProgressLocation, UIKind, workspace, env } from 'vscode';
import { CancelledError } from '../../base/errors';
import { sleep } from '../../base/time';
import { launchJournal, podOfLaunch, type Launch, type LaunchBook, type LaunchWork, type StepResult } from '../../pods/launch';
import { startPod } from '../../pods/start';
import type { Pod } from '../../runpod/types';
import { setUpGroup } from '../../runs/detached/setUp';
import { losesFolders } from '../commands/openWorkspace';
import { untilReady } from '../commands/untilReady';
import { placeOrOffer } from '../createPod/offers';
import { place } from '../createPod/place';
import { SCHEME, type CommandId } from '../ids';
import type { Parts } from '../parts';
import type { FolderConsents } from '../profile/consent';
import { readFolder } from '../profile/folder';
import { askedOf, type Made } from '../profile/made';
import { isLocal } from '../sync/source';
import type { PushResult } from '../sync/work';
import { isProject } from '../sync/localFolder';
import type { RunOutcome } from '../tasks/execute';
import { withProgress } from '../progress';

/** Instead of a pod there is now a watch for one. */
export class WatchedInstead extends Error {
  constructor(readonly watch: string) {
    super('Nothing was free; it is watched for');
  }
}

/** The set-up has ended with something else than 0. */
export class SetupFailed extends Error {
  constructor(
    readonly exitCode: number,
    command: string,
  ) {
    super(l10n.t('“{0}” ended with exit code {1}; its output is in its terminal.', command, exitCode));
  }
}

export interface WorkParts {
  readonly parts: Parts;
  readonly book: LaunchBook;
  readonly consents: FolderConsents;
  /** What the launch buys, after the price was agreed to. @throws CancelledError */
  readonly made: (launch: Launch) => Promise<Made>;
  /** How far the step that runs has got, for people. */
  readonly tell: (launch: Launch, detail: string) => void;
  /** The caller has decided all there is to decide, so nobody is asked. */
  readonly confirmed: (launch: Launch) => boolean;
  /** Begun because its hardware was seen free: whoever waits for that waits on where it is taken after all. */
  readonly onSight: (launch: Launch) => boolean;
}

const execute = <T>(id: CommandId, ...args: readonly unknown[]): Thenable<T | undefined> => commands.executeCommand<T | undefined>(id, ...args);

/** How long the editor may take to begin anew with a second folder. */
const BEGIN_ANEW_MS = 15_000;

/** The steps of a launch in this window. */
export function workOf({ parts, book, consents, made, tell, confirmed, onSight }: WorkParts): LaunchWork {
  const podOf = async (launch: Launch): Promise<Pod> => (await parts.api.client()).pods.get(launch.podId ?? '');

  async function create(launch: Launch): Promise<StepResult> {
    const client = await parts.api.client();
    const earlier = await withProgress({ location: ProgressLocation.Window, title: l10n.t('Looking for the pod that was asked for…') }, () => podOfLaunch(() => client.pods.list(), launch));
    if (earlier) {
      for (const { mark } of launch.marks) await parts.pendingCreates.settle(mark);
      parts.store.put(earlier);
      return { found: { podId: earlier.id, podName: earlier.name } };
    }
    const asked = await askedOf(await made(launch), parts.context.secrets, consents);
    const journal = launchJournal(book, launch.id, parts.pendingCreates);
    const placed = onSight(launch) ? { pod: await place(parts, asked, journal) } : await placeOrOffer(parts, asked, journal);
    if ('watch' in placed) throw new WatchedInstead(placed.watch);
    return { found: { podId: placed.pod.id, podName: placed.pod.name } };
  }

  async function ready(launch: Launch): Promise<StepResult> {
    let pod = await podOf(launch);
    if (pod.status === 'EXITED') {
      pod = await startPod((await parts.api.client()).pods, pod);
      parts.sessions.podChanged(pod);
    }
    parts.store.put(pod);
    parts.store.hurry();
    if (!confirmed(launch)) parts.podLogs.show(pod.id, pod.name);
    await untilReady(parts, pod.id, pod.name, (text) => tell(launch, text));
    // From here on the commands of this window mean this pod.
    await parts.activePod.set(pod.id);
    return {};
  }

  async function send(launch: Launch): Promise<StepResult> {
    const folder = Uri.parse(launch.folder, true);
    if (!isLocal(folder) || !isProject(folder)) return { skipped: true };
    const sent = await execute<PushResult>('runpod.push', launch.folder, { pod: launch.podId, ...(confirmed(launch) ? { confirmed: true } : {}) });
    if (sent === undefined) throw new CancelledError();
    if (sent.failed.length > 0) throw new Error(l10n.t('Could not be sent: {0}.', sent.failed.slice(0, 5).join(', ')));
    return { found: { target: sent.target } };
  }

  async function setup(launch: Launch): Promise<StepResult> {
    const command = await setupOf(launch);
    const { podId = '', target } = launch;
    if (command === undefined) return { skipped: true };
    const group = setUpGroup(launch.id);
    // A window that was closed while it ran finds it running, or ended.
    const [last] = (await parts.runBook.refresh(podId)).filter(({ meta }) => meta.group === group);
    if (last?.state === 'exited' && last.exitCode === 0 && last.meta.command === command) return {};
    tell(launch, command);
    if (last?.state !== 'running') return ended(await execute<RunOutcome>('runpod.runCommand', podId, command, { title: l10n.t('Set-up'), group, ...(target === undefined ? {} : { cwd: target, folder: launch.folder }) }), command);
    const exitCode = new Promise<number>((resolve) => {
      const listener = parts.followed.onDidEnd(({ run, exitCode: code }) => {
        if (run.id !== last.id) return;
        listener.dispose();
        resolve(code);
      });
    });
    await execute('runpod.attachRun', podId, last.id);
    return ended({ exitCode: await exitCode }, command);
  }

  async function open(launch: Launch): Promise<StepResult> {
    // The local folder keeps this window; the pod's takes its place beside it where the editor can do that.
    if (losesFolders()) return { skipped: true };
    const beginsAnew = env.uiKind === UIKind.Desktop && workspace.workspaceFile === undefined && workspace.workspaceFolders?.length === 1;
    await execute('runpod.openRemoteWorkspace', launch.podId);
    // With its second folder the window becomes a workspace, and all extensions begin anew; the launch goes on then.
    if (beginsAnew) await sleep(BEGIN_ANEW_MS);
    return {};
  }

  async function terminal({ podId, target }: Launch): Promise<StepResult> {
    await execute('runpod.openTerminal', target === undefined ? { podId } : Uri.from({ scheme: SCHEME, authority: podId ?? '', path: target }));
    return {};
  }

  return { create, ready, send, setup, open, terminal };
}

function ended(outcome: RunOutcome | undefined, command: string): StepResult {
  // Its terminal was closed: the run goes on, and is found again by whoever resumes.
  if (outcome?.exitCode === undefined) throw new CancelledError();
  if (outcome.exitCode !== 0) throw new SetupFailed(outcome.exitCode, command);
  return {};
}

/** The command as the folder's file has it now: it may have been mended since. */
async function setupOf({ folder: address, profile }: Launch): Promise<string | undefined> {
  const folder = workspace.getWorkspaceFolder(Uri.parse(address, true));
  if (!folder) throw new Error(l10n.t('{0} is not open in this window any more.', address));
  return (await readFolder(folder)).profiles.find((p) => p.key === profile)?.profile.setup;
}
