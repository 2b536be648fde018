import { setMaxListeners } from 'node:events';
import { Emitter, type Event } from '../base/emitter';
import type { SshError } from './errors';

/** The end of a link: it comes once, with its reason, and everybody who waits is told. */
export class LinkEnd {
  readonly #told = new Emitter<SshError>();
  readonly #gone = new AbortController();
  #reason: SshError | undefined;

  constructor() {
    // Everything that waits for this link listens; that is no leak.
    setMaxListeners(0, this.#gone.signal);
  }

  /** Why the link is gone; undefined while it is there. */
  get reason(): SshError | undefined {
    return this.#reason;
  }

  /** Aborted when the link is gone. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Fires once, with the reason, when the link is gone; soon where it is already. */
  readonly event: Event<SshError> = (listener) => {
    if (this.#reason === undefined) return this.#told.event(listener);
    const reason = this.#reason;
    queueMicrotask(() => listener(reason));
    return { dispose: () => {} };
  };

  /** @returns false where it has come before */
  come(reason: SshError, first: () => void = () => {}): boolean {
    if (this.#reason !== undefined) return false;
    this.#reason = reason;
    first();
    this.#gone.abort(reason);
    this.#told.fire(reason);
    return true;
  }
}
