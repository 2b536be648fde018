import { commands, Uri, type Disposable } from 'vscode';
import { CancelledError, isCancelled, messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { explain } from '../errorWords';
import { SCHEME, SCHEME_READONLY, type CommandId } from '../ids';
import { pickPod, type ActivePod } from '../activePod';
import { PodUnavailableError } from '../../pods/contracts';
import { isRow } from '../podsView/nodes';
import type { PodStore } from '../../pods/store';
import type { Pod } from '../../runpod/types';
import { notice } from '../prompts/notice';

/**
 * Registers a command. Called with a target as text (a keybinding, a task, another extension) it rejects with the
 * reason; called by a person's hand (palette, row, menu) it shows the reason with the one thing to do next.
 * Leaving a prompt is neither: the result is undefined.
 */
export function command<R>(id: CommandId, log: Logger, body: (...args: unknown[]) => Promise<R> | R): Disposable {
  return commands.registerCommand(id, async (...args: unknown[]): Promise<R | undefined> => {
    try {
      return await body(...args);
    } catch (error) {
      if (isCancelled(error)) return undefined;
      log.error(`${id}: ${messageOf(error)}`);
      if (typeof args[0] === 'string' || isComplete(args[0])) throw new Error(explain(error).message, { cause: error });
      void showError(error);
      return undefined;
    }
  });
}

/** Shows what happened and why, with the one next step as a button. */
export async function showError(error: unknown): Promise<void> {
  if (isCancelled(error)) return;
  const { message, action } = explain(error);
  const answer = await notice.fail(message, ...(action ? [action.title] : []));
  if (action && answer === action.title) await run(action.command, ...(action.args ?? []));
}

/** Runs one of our own commands from a button, as a person's hand would: its target is `{podId}`, so what fails is shown. */
export async function run(id: CommandId, ...args: readonly unknown[]): Promise<void> {
  await commands.executeCommand(id, ...args);
}

/** A create request and the like: plain data handed over by code, not a row and not a file. */
const isComplete = (arg: unknown): boolean => choices(arg) !== undefined && !targetId(arg);

/** The choices among a command's arguments: plain data; what menus pass besides (a row, `Uri[]`, `{groupId}`, a repository, `{notebookEditor}`) is none. */
export function choices(arg: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof arg !== 'object' || arg === null || Array.isArray(arg) || arg instanceof Uri || isRow(arg)) return undefined;
  return 'groupId' in arg || 'rootUri' in arg || 'notebookEditor' in arg ? undefined : (arg as Readonly<Record<string, unknown>>);
}

/** The pod that an argument means: an id or name, a row of the view, or anything under a pod's folder. */
export function targetId(arg: unknown): string | undefined {
  if (typeof arg === 'string') return arg === '' ? undefined : arg;
  if (arg instanceof Uri) return arg.scheme === SCHEME || arg.scheme === SCHEME_READONLY ? arg.authority : undefined;
  if (typeof arg === 'object' && arg !== null && 'podId' in arg && typeof arg.podId === 'string') return arg.podId;
  return undefined;
}

/** Finds or asks for the pod a command is about. */
export class Targets {
  constructor(
    private readonly store: PodStore,
    private readonly activePod?: ActivePod,
  ) {}

  /** The pod to work with: the one named, else this window's. What ends or changes a pod asks with `pod` instead. */
  async forUse(arg: unknown, question: string, fits?: (pod: Pod) => boolean): Promise<Pod> {
    const id = targetId(arg) ?? (await this.activePod?.pick());
    return this.pod(id, question, fits);
  }

  /**
   * @param fits which pods are offered when none is named
   * @throws CancelledError when the person leaves; PodUnavailableError when the named pod is not there
   */
  async pod(arg: unknown, question: string, fits: (pod: Pod) => boolean = () => true): Promise<Pod> {
    if (this.store.state.phase === 'loading') await this.store.refresh();
    const id = targetId(arg);
    if (id !== undefined) return this.#named(id);
    if (this.store.state.phase === 'no-key') throw new PodUnavailableError('no-api-key', '', undefined);
    const picked = await pickPod(this.store.state.pods.filter(fits), question);
    if (!picked) throw new CancelledError();
    return picked;
  }

  async #named(id: string): Promise<Pod> {
    const known = this.store.find(id);
    if (known) return known;
    // Made a moment ago, or elsewhere: the list may simply be older than the pod.
    await this.store.refresh();
    const found = this.store.find(id);
    if (found) return found;
    const { phase, problem } = this.store.state;
    if (phase === 'no-key') throw new PodUnavailableError('no-api-key', id, undefined);
    throw problem ? new PodUnavailableError('api', id, undefined, { cause: problem.error }) : new PodUnavailableError('gone', id, undefined);
  }
}
