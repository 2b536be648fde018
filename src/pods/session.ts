import type { Disposable } from '../base/disposable';
import { Emitter, type Event } from '../base/emitter';
import type { Pod } from '../runpod/types';
import { PodSession, type SessionDeps } from './podSession';

export { PodSession, type SessionDeps } from './podSession';
export type { SessionState } from './sessionState';
export type { SessionTimings } from './sessionTimings';
export type { Trust } from './hostKeyTrust';

/** The sessions of this window, one a pod. */
export class PodSessions implements Disposable {
  readonly #sessions = new Map<string, PodSession>();
  readonly #changed = new Emitter<PodSession>();
  #disposed = false;

  /** A session's state, reason or trust is another than before. */
  readonly onDidChange: Event<PodSession> = this.#changed.event;

  constructor(private readonly deps: SessionDeps) {}

  /** The pod's session, made when it is asked for first. Making it does no I/O. */
  get(podId: string): PodSession {
    const known = this.#sessions.get(podId);
    if (known) return known;
    const session = new PodSession(podId, this.deps);
    if (this.#disposed) {
      session.dispose();
      return session;
    }
    this.#sessions.set(podId, session);
    session.onDidChange((changed) => this.#changed.fire(changed));
    return session;
  }

  /** The pod's session if somebody has used it. */
  peek(podId: string): PodSession | undefined {
    return this.#sessions.get(podId);
  }

  /** The pod has been terminated: whatever hangs on its session ends. */
  forget(podId: string): void {
    this.#sessions.get(podId)?.dispose();
    this.#sessions.delete(podId);
  }

  /** News of a pod, for example from the list: ends a connection that must be dead and wakes one that waits for its start. */
  podChanged(pod: Pod): void {
    this.peek(pod.id)?.podChanged(pod);
  }

  /** Somebody looks at the window again. */
  awake(): void {
    for (const session of this.#sessions.values()) session.awake();
  }

  dispose(): void {
    this.#disposed = true;
    for (const session of this.#sessions.values()) session.dispose();
    this.#sessions.clear();
    this.#changed.dispose();
  }
}
