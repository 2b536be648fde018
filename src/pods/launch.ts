import { CancelledError, messageOf } from '../base/errors';
import { sleep } from '../base/time';
import type { Pod, PodRow } from '../runpod/types';
import type { CreateJournal } from './create';
import { podMarked } from './pendingCreates';

/** The way from a folder's profile to a pod at work, in its order. */
export const LAUNCH_STEPS = ['create', 'ready', 'send', 'setup', 'open', 'terminal'] as const;
export type LaunchStep = (typeof LAUNCH_STEPS)[number];

/** One way from a folder to its pod, as far as it has got. Plain data, so that it outlives the window. */
export interface Launch {
  readonly id: string;
  /** The folder's address, and the name of its profile where it has several. */
  readonly folder: string;
  readonly profile?: string;
  /** Whose pod it is: `ApiKeys.account`. */
  readonly account: string;
  /** When it began, ms since 1970. */
  readonly at: number;
  /** Creates that have left for RunPod, with the time: the pod of any of them is this launch's. */
  readonly marks: readonly { readonly mark: string; readonly at: number }[];
  readonly podId?: string;
  readonly podName?: string;
  /** Where the folder lies on the pod. */
  readonly target?: string;
  readonly done: readonly LaunchStep[];
  /** Among `done`: there was nothing to do, or the person did not want it. */
  readonly skipped: readonly LaunchStep[];
  /** Where it stopped, and why, for people. */
  readonly stopped?: { readonly step: LaunchStep; readonly why: string };
}

/** Where launches are kept, for all windows of an editor. */
export interface LaunchShelf {
  read(): readonly Launch[];
  write(all: readonly Launch[]): PromiseLike<void>;
}

export class LaunchBook {
  constructor(private readonly shelf: LaunchShelf) {}

  get all(): readonly Launch[] {
    return this.shelf.read();
  }

  find(id: string): Launch | undefined {
    return this.all.find((l) => l.id === id);
  }

  async save(launch: Launch): Promise<void> {
    const others = this.all;
    const known = others.some((l) => l.id === launch.id);
    await this.shelf.write(known ? others.map((l) => (l.id === launch.id ? launch : l)) : [...others, launch]);
  }

  async remove(id: string): Promise<void> {
    await this.shelf.write(this.all.filter((l) => l.id !== id));
  }
}

/** What a step has found out, and that it had nothing to do. */
export interface StepResult {
  readonly found?: Partial<Pick<Launch, 'podId' | 'podName' | 'target'>>;
  readonly skipped?: boolean;
}

/** What the steps do. Each is called again after it has failed, so each begins by looking what is there. */
export type LaunchWork = Readonly<Record<LaunchStep, (launch: Launch) => Promise<StepResult | undefined>>>;

/** The folder and the terminal show themselves; the window may go away while they do, and is not to begin them again. */
const DONE_BEFOREHAND: ReadonlySet<LaunchStep> = new Set(['open']);

/** The steps that are still to be made; what is sent before a set-up is sent again with it, for it may have been mended here. */
export const stepsLeft = (launch: Launch): LaunchStep[] =>
  LAUNCH_STEPS.filter((step) => !launch.done.includes(step) || (step === 'send' && !launch.done.includes('setup') && !launch.skipped.includes('send')));

/**
 * Goes on with a launch where it stopped. What each step found out is kept before the next begins; at the end the launch is
 * struck off.
 * @param onStep told as each begins
 * @throws what the step threw that did not succeed; where it stopped is kept
 */
export async function runLaunch(book: LaunchBook, begun: Launch, work: LaunchWork, onStep: (step: LaunchStep, launch: Launch) => void = () => undefined): Promise<Launch> {
  const { stopped: _, ...rest } = begun;
  let launch: Launch = rest;
  await book.save(launch);
  for (const step of stepsLeft(launch)) {
    onStep(step, launch);
    try {
      if (DONE_BEFOREHAND.has(step)) launch = await kept(book, withDone(launch, step, {}));
      const result = (await work[step](launch)) ?? {};
      // The work may have kept something itself: the marks of its creates.
      launch = await kept(book, withDone(book.find(launch.id) ?? launch, step, result));
    } catch (error) {
      const now = book.find(launch.id) ?? launch;
      await book.save({ ...now, done: now.done.filter((s) => s !== step), stopped: { step, why: messageOf(error) } });
      throw error;
    }
  }
  await book.remove(launch.id);
  return launch;
}

async function kept(book: LaunchBook, launch: Launch): Promise<Launch> {
  await book.save(launch);
  return launch;
}

function withDone(launch: Launch, step: LaunchStep, { found, skipped }: StepResult): Launch {
  const without = (steps: readonly LaunchStep[]): LaunchStep[] => steps.filter((s) => s !== step);
  return { ...launch, ...found, done: [...without(launch.done), step], skipped: skipped ? [...without(launch.skipped), step] : without(launch.skipped) };
}

/**
 * The journal of the creates of a launch: their marks are with it before a request leaves, so that whatever happens to this
 * window, the pod is found and no second one is made.
 */
export function launchJournal(book: LaunchBook, id: string, journal: CreateJournal, now: () => number = Date.now): CreateJournal {
  const change = async (marks: (before: Launch['marks']) => Launch['marks']): Promise<void> => {
    const launch = book.find(id);
    if (launch) await book.save({ ...launch, marks: marks(launch.marks) });
  };
  return {
    note: async (create) => {
      await change((before) => [...before, { mark: create.mark, at: now() }]);
      await journal.note(create);
    },
    settle: (mark) => journal.settle(mark),
    letGo: (mark) => journal.letGo(mark),
  };
}

/** How long after a create has left its pod may still show up. */
const SURE_MS = 120_000;
const LOOK_MS = 4_000;

/**
 * The pod that an earlier attempt at a launch made, looked for by its marks for as long as it may still show up.
 * @returns undefined when it is certain that there is none
 * @throws what the list throws; CancelledError
 */
export async function podOfLaunch(list: () => Promise<readonly PodRow[]>, launch: Pick<Launch, 'marks'>, options: { readonly signal?: AbortSignal; readonly now?: () => number; readonly lookMs?: number } = {}): Promise<Pod | undefined> {
  const { signal, now = Date.now, lookMs = LOOK_MS } = options;
  if (launch.marks.length === 0) return undefined;
  const last = Math.max(...launch.marks.map((m) => m.at));
  for (;;) {
    const rows = await list();
    for (const { mark } of launch.marks) {
      const pod = podMarked(rows, mark);
      if (pod) return pod;
    }
    // A clock that was set back is no reason to wait longer.
    if (Math.abs(now() - last) >= SURE_MS) return undefined;
    if (signal?.aborted) throw new CancelledError();
    await sleep(lookMs, signal);
  }
}
