import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EventEmitter, l10n, workspace, type Uri } from 'vscode';
import { Claim } from '../../base/claim';
import { CancelledError, isCancelled } from '../../base/errors';
import { CreateUncertainError } from '../../pods/create';
import { LaunchBook, podOfLaunch, runLaunch, stepsLeft, type Launch, type LaunchStep } from '../../pods/launch';
import { RunPodError } from '../../runpod/errors';
import type { Pod } from '../../runpod/types';
import { run } from '../commands/command';
import { explain } from '../errorWords';
import type { Parts } from '../parts';
import type { FolderConsents } from '../profile/consent';
import type { Made } from '../profile/made';
import { rate } from '../words';
import { stepTitle } from './words';
import { SetupFailed, WatchedInstead, workOf } from './work';
import { notice } from '../prompts/notice';

const KEY = 'runpod.launches';
/** After so long nobody goes on with it. */
const FORGET_MS = 30 * 24 * 3_600_000;

/** What the command gives back. */
export interface LaunchResult {
  readonly id: string;
  /** Where the folder lies on the pod. */
  readonly target?: string;
}

export interface LaunchOptions {
  readonly confirmed?: boolean;
  readonly onSight?: () => void;
}

/** Where a launch is just now: the step that runs and how far it has got. */
export interface LaunchNow {
  readonly step: LaunchStep;
  readonly detail: string;
}

/**
 * The ways from the folders of this window to their pods. Kept for all windows of the editor, for a window may become another
 * one on the way: what counts is the folder.
 */
export class Launches {
  readonly #book: LaunchBook;
  readonly #running = new Map<string, LaunchNow>();
  readonly #made = new Map<string, Made>();
  readonly #confirmed = new Set<string>();
  readonly #claims = new Set<Claim>();
  readonly #changed = new EventEmitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly #began = new EventEmitter<string>();
  /** A person has begun one, or goes on with it; its id. */
  readonly onDidBegin = this.#began.event;

  /** @param agree plans a launch of its folder and has its price agreed to */
  constructor(
    private readonly parts: Parts,
    private readonly consents: FolderConsents,
    private readonly agree: (launch: Launch) => Promise<Made>,
  ) {
    const { globalState } = parts.context;
    this.#book = new LaunchBook({
      read: () => globalState.get<Launch[]>(KEY) ?? [],
      write: async (all) => {
        const kept = all.filter((l) => Date.now() - l.at < FORGET_MS);
        await globalState.update(KEY, kept.length === 0 ? undefined : kept);
        this.#changed.fire();
      },
    });
  }

  dispose(): void {
    for (const claim of this.#claims) claim.dispose();
    this.#changed.dispose();
    this.#began.dispose();
  }

  /** Those of this window's folders, with the account in use. */
  get here(): readonly Launch[] {
    const folders = new Set((workspace.workspaceFolders ?? []).map((f) => f.uri.toString()));
    return this.#book.all.filter((l) => folders.has(l.folder) && l.account === this.parts.keys.account);
  }

  find(id: string): Launch | undefined {
    return this.here.find((l) => l.id === id);
  }

  now(id: string): LaunchNow | undefined {
    return this.#running.get(id);
  }

  /** The unfinished one of a folder's profile. */
  of(folder: Uri, profile: string | undefined): Launch | undefined {
    return this.here.find((l) => l.folder === folder.toString() && l.profile === profile);
  }

  /**
   * Buys what was agreed to and goes all the way.
   * @param options `confirmed`: nothing is asked, and whoever called is told what fails; `onSight`: told when the pod is there,
   * for its hardware was seen free, and nothing else is offered where it is taken after all
   */
  async begin(made: Made, options: LaunchOptions = {}): Promise<LaunchResult | { readonly watch: string } | undefined> {
    const { folder } = made.read;
    const { key } = made.named;
    const unfinished = this.of(folder.uri, key);
    if (unfinished) return this.resume(unfinished, options);
    const launch: Launch = { id: randomUUID(), folder: folder.uri.toString(), ...(key === undefined ? {} : { profile: key }), account: this.parts.keys.account, at: Date.now(), marks: [], done: [], skipped: [] };
    this.#made.set(launch.id, made);
    return this.#run(launch, options);
  }

  /** Goes on where it stopped, with the same pod. @throws Error in words when that pod is gone; the launch is then struck off */
  async resume(launch: Launch, options: LaunchOptions = {}): Promise<LaunchResult | { readonly watch: string } | undefined> {
    if (this.#running.has(launch.id)) throw new Error(l10n.t('It is at “{0}” just now.', stepTitle(this.#running.get(launch.id)?.step ?? 'create')));
    if (launch.podId === undefined) return this.#run(launch, options);
    const pod = await this.#podOf(launch);
    if (pod === undefined) {
      await this.#book.remove(launch.id);
      throw new Error(l10n.t('{0} no longer exists. New Pod from This Folder makes another one.', launch.podName ?? launch.podId));
    }
    // A container that was made anew has nothing of what was set up outside the volume.
    return this.#run(pod.status === 'RUNNING' ? launch : { ...launch, done: ['create'], skipped: [] }, options);
  }

  /** Nothing more is done for it; what becomes of its pod is asked, for it costs. */
  async leave(launch: Launch): Promise<void> {
    if (this.#running.has(launch.id)) throw new Error(l10n.t('It is under way. Cancel the step that runs first.'));
    const answer = await this.#askWhatOf(launch, l10n.t('Terminated, it and what is on its disk are deleted. Kept, it goes on billing like any other pod.'));
    if (answer === 'undecided') throw new CancelledError();
    await this.#book.remove(launch.id);
  }

  /** A set-up that fails is passed over, and the rest is done. */
  async skipSetup(launch: Launch): Promise<void> {
    const done: LaunchStep[] = [...launch.done, 'setup'];
    await this.#run({ ...launch, done, skipped: [...launch.skipped, 'setup'] }, {});
  }

  /** Once, when it is known which pods there are: goes on with what only the window's change interrupted, and offers the rest. */
  async takeUp(): Promise<void> {
    for (const launch of this.here) {
      if (!(await this.#free(launch))) continue;
      if ((await this.#podOf(launch)) === undefined) await this.#book.remove(launch.id);
      else if (stepsLeft(launch).every((step) => step === 'open' || step === 'terminal')) await this.resume(launch);
      else void this.#offer(launch, l10n.t('New Pod from This Folder was interrupted at “{0}”.', stepTitle(stepsLeft(launch)[0] ?? 'create')));
    }
    this.#changed.fire();
  }

  /** Its pod, by its id or by the mark of a create that was not answered; undefined when it is certain that there is none. */
  async #podOf(launch: Launch): Promise<Pod | undefined> {
    const client = await this.parts.api.client();
    if (launch.podId === undefined) return podOfLaunch(() => client.pods.list(), launch);
    return client.pods.get(launch.podId).catch((error: unknown) => {
      if (error instanceof RunPodError && error.code === 'not-found') return undefined;
      throw error;
    });
  }

  async #run(launch: Launch, { confirmed = false, onSight }: LaunchOptions): Promise<LaunchResult | { readonly watch: string } | undefined> {
    const claim = this.#claim(launch);
    if (!(await claim.take())) throw new Error(l10n.t('Another window is making this pod.'));
    this.#claims.add(claim);
    if (confirmed) this.#confirmed.add(launch.id);
    const set = (step: LaunchStep, detail = ''): void => {
      this.#running.set(launch.id, { step, detail });
      this.#changed.fire();
    };
    const work = workOf({
      parts: this.parts,
      book: this.#book,
      consents: this.consents,
      made: async (l) => this.#made.get(l.id) ?? this.agree(l),
      tell: (l, detail) => set(this.#running.get(l.id)?.step ?? 'create', detail),
      confirmed: (l) => this.#confirmed.has(l.id),
      onSight: () => onSight !== undefined,
    });
    try {
      await this.#book.save(launch);
      set(stepsLeft(launch)[0] ?? 'create');
      if (!confirmed) this.#began.fire(launch.id);
      const { podId = '', podName = '', target, skipped } = await runLaunch(this.#book, launch, work, (step) => {
        if (step !== 'create') onSight?.();
        set(step);
      });
      void this.#announce(podId, podName, skipped);
      return { id: podId, ...(target === undefined ? {} : { target }) };
    } catch (error) {
      return await this.#failed(launch, error, confirmed);
    } finally {
      this.#running.delete(launch.id);
      this.#made.delete(launch.id);
      this.#confirmed.delete(launch.id);
      this.#claims.delete(claim);
      claim.dispose();
      this.#changed.fire();
    }
  }

  async #failed({ id }: Launch, error: unknown, confirmed: boolean): Promise<{ readonly watch: string } | undefined> {
    const launch = this.#book.find(id);
    const uncertain = error instanceof CreateUncertainError || (error instanceof RunPodError && error.maybeDone);
    // Nothing was bought, and nothing can have been: there is nothing to go on with.
    if (launch && launch.podId === undefined && !uncertain) await this.#book.remove(id);
    if (error instanceof WatchedInstead) return { watch: error.watch };
    if (!launch || (launch.podId === undefined && !uncertain) || confirmed) throw error;
    const step = stepTitle(launch.stopped?.step ?? 'create');
    // Whoever cancels decides at once about the pod.
    if (isCancelled(error)) void this.#askWhatOf(launch, l10n.t('Kept, it goes on billing; New Pod from This Folder goes on with it at “{0}”. Terminated, it and what is on its disk are deleted.', step));
    else void this.#offer(launch, l10n.t('New Pod from This Folder stopped at “{0}”: {1}', step, explain(error).message), error instanceof SetupFailed);
    return undefined;
  }

  /** What is to become of its pod, which costs; `nothing` where there is none that does. */
  async #askWhatOf(launch: Launch, detail: string): Promise<'terminated' | 'kept' | 'undecided' | 'nothing'> {
    const pod = this.parts.store.find(launch.podId ?? '');
    if (!pod || pod.status === 'EXITED') return 'nothing';
    const [terminate, keep] = [l10n.t('Terminate {0}', pod.name), l10n.t('Keep {0}', pod.name)];
    const answer = await notice.ask(l10n.t('{0} exists and costs {1}. What is to become of it?', pod.name, rate(pod.costPerHour)), detail, keep, terminate);
    if (answer === terminate) await this.#terminate(launch, pod, true);
    return answer === undefined ? 'undecided' : answer === terminate ? 'terminated' : 'kept';
  }

  async #terminate(launch: Launch, pod: Pod, confirmed: boolean): Promise<void> {
    await run('runpod.terminatePod', { podId: pod.id }, { confirmed });
    if (this.parts.store.find(pod.id) === undefined) await this.#book.remove(launch.id);
  }

  /** Says where it stands, what it costs meanwhile, and offers to go on, or to end it. */
  async #offer(launch: Launch, what: string, setupFailed = false): Promise<void> {
    const pod = this.parts.store.find(launch.podId ?? '');
    const [resume, skip, terminate, later] = [l10n.t('Resume'), l10n.t('Go On without Set-up'), l10n.t('Terminate Pod…'), l10n.t('Keep Pod')];
    const cost = pod && pod.status !== 'EXITED' ? ` ${l10n.t('{0} exists and costs {1}.', pod.name, rate(pod.costPerHour))}` : '';
    const answer = await notice.warn(what + cost, resume, ...(setupFailed ? [skip] : []), ...(pod ? [terminate, later] : []));
    const now = this.#book.find(launch.id);
    if (!now) return;
    if (answer === resume) await run('runpod.resumeLaunch', { launchId: launch.id });
    if (answer === skip) await this.skipSetup(now);
    if (answer === terminate && pod) await this.#terminate(launch, pod, false);
  }

  async #announce(podId: string, name: string, skipped: readonly LaunchStep[]): Promise<void> {
    const pod = this.parts.store.find(podId);
    const left = skipped.includes('open') ? [l10n.t('Open Folder')] : [];
    const did = [skipped.includes('send') ? undefined : l10n.t('this folder is on it'), skipped.includes('setup') ? undefined : l10n.t('it is set up')].filter((one) => one !== undefined);
    const message = [l10n.t('{0} is ready', name), ...did].join(', ') + (pod ? `, ${l10n.t('and costs {0}', rate(pod.costPerHour))}.` : '.');
    const answer = await notice.inform(message, ...left);
    if (answer !== undefined) await run('runpod.openRemoteWorkspace', { podId });
  }

  async #free(launch: Launch): Promise<boolean> {
    if (this.#running.has(launch.id)) return false;
    const claim = this.#claim(launch);
    const free = await claim.take();
    claim.dispose();
    return free;
  }

  #claim(launch: Launch): Claim {
    return new Claim(join(this.parts.context.globalStorageUri.fsPath, 'launches', `${launch.id}.claim`));
  }
}
