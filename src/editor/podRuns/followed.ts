import { TerminalExitReason, window, type Memento, type Terminal } from 'vscode';
import type { Disposable } from '../../base/disposable';
import { Emitter, type Event } from '../../base/emitter';
import { steadyNow } from '../../base/time';
import type { RunRef } from '../../runs/detached/layout';
import type { RunRecord } from '../../runs/detached/list';

const KEY = 'runpod.followedRuns';

/** A run that has ended while this window followed it, or that it finds ended when it opens. */
export interface EndedRun {
  readonly run: RunRecord;
  /** The last lines of its output. */
  readonly lines: readonly string[];
  /** The exit code that whoever started it is given. */
  readonly exitCode: number;
}

/** What follows a run: its terminal. */
export interface Follower {
  readonly ref: RunRef;
  /** What its terminal is called, or part of that. */
  readonly label: string;
}

/**
 * The runs that this window has terminals for, remembered with the workspace, so that a window that opens again takes them
 * up where it left them.
 */
export class FollowedRuns implements Disposable {
  readonly #followers = new Map<string, Follower>();
  readonly #ended = new Emitter<EndedRun>();
  readonly #closed: { readonly terminal: Terminal; readonly at: number }[] = [];
  readonly #closing = new Emitter<Terminal>();
  readonly #listener = window.onDidCloseTerminal((terminal) => {
    this.#closed.push({ terminal, at: steadyNow() });
    if (this.#closed.length > 50) this.#closed.shift();
    this.#closing.fire(terminal);
  });

  readonly onDidEnd: Event<EndedRun> = this.#ended.event;

  constructor(private readonly memento: Memento) {}

  /** Runs that the window had terminals for when it was last closed. */
  left(): readonly RunRef[] {
    return this.memento.get<readonly RunRef[]>(KEY, []).filter((ref) => !this.#followers.has(ref.id));
  }

  follow(follower: Follower): void {
    this.#followers.set(follower.ref.id, follower);
    this.#save([...this.left(), ...[...this.#followers.values()].map(({ ref }) => ref)]);
  }

  isFollowed(runId: string): boolean {
    return this.#followers.has(runId);
  }

  labelOf(runId: string): string | undefined {
    return this.#followers.get(runId)?.label;
  }

  /** Nobody looks at it any more, here. */
  leave(ref: RunRef): void {
    this.#followers.delete(ref.id);
    this.#save(this.memento.get<readonly RunRef[]>(KEY, []).filter(({ id }) => id !== ref.id));
  }

  /** It has ended, and everything of it was seen. */
  end(ended: EndedRun): void {
    this.leave(ended.run);
    this.#ended.fire(ended);
  }

  /** Who has closed the terminal of that name just now; the editor says so a moment before or after it ends what runs in it. */
  async closedBy(label: string): Promise<TerminalExitReason> {
    const recent = this.#closed.findLast(({ terminal, at }) => terminal.name.includes(label) && steadyNow() - at < CLOSE_MS)?.terminal;
    const terminal =
      recent ??
      (await new Promise<Terminal | undefined>((resolve) => {
        const done = (found?: Terminal): void => {
          clearTimeout(timer);
          listener.dispose();
          resolve(found);
        };
        const listener = this.#closing.event((one) => one.name.includes(label) && done(one));
        const timer = setTimeout(() => done(), CLOSE_MS);
      }));
    return terminal?.exitStatus?.reason ?? TerminalExitReason.Unknown;
  }

  dispose(): void {
    this.#listener.dispose();
    this.#ended.dispose();
    this.#closing.dispose();
  }

  #save(refs: readonly RunRef[]): void {
    void this.memento.update(KEY, refs.map(({ podId, id }) => ({ podId, id })));
  }
}

const CLOSE_MS = 1_500;
