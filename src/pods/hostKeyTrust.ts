import { messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import type { Pod } from '../runpod/types';
import type { HostKey } from '../ssh/hostKeys';
import type { HostKeyVerdict, PinStore, PinSubject } from '../ssh/pins';
import { apiTrouble } from './podApi';
import type { PrintedKeys } from './printedKeys';

/** How sure we are of the machine we talk to. */
export interface Trust {
  readonly verdict: 'proven' | 'pinned' | 'first-use';
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

interface Mismatch {
  readonly shown: string;
  readonly expected: readonly string[];
  readonly expectedFrom: 'log' | 'pin';
}

/** The judgement of one pod's host key over one attempt and the connections that come of it. */
export class HostKeyCheck {
  #accepted: { readonly key: HostKey; readonly verdict: Trust['verdict'] } | undefined;
  #shown: string | undefined;
  #mismatch: Mismatch | undefined;
  #tooEarly = false;
  #unreadableLog: unknown;
  readonly #subject: PinSubject;

  /** @param mayBeStranger right after a start nobody is trusted on first use before the address has settled */
  constructor(
    private readonly pins: PinStore,
    pod: Pod,
    private readonly printed: PrintedKeys,
    private readonly log: Logger,
    private readonly mayBeStranger: () => boolean,
  ) {
    this.#subject = { podId: pod.id, startedAt: pod.startedAt?.toISOString() };
  }

  get verdict(): Trust['verdict'] | undefined {
    return this.#accepted?.verdict;
  }

  /** The key that was accepted. */
  get key(): HostKey | undefined {
    return this.#accepted?.key;
  }

  /** The fingerprint that the server showed. */
  get shown(): string | undefined {
    return this.#shown;
  }

  get mismatch(): Mismatch | undefined {
    return this.#mismatch;
  }

  get tooEarly(): boolean {
    return this.#tooEarly;
  }

  /** Why the log could not tell, where that kept an unknown key from being trusted. */
  get unreadableLog(): unknown {
    return this.#unreadableLog;
  }

  async verify(key: HostKey): Promise<HostKeyVerdict> {
    this.#shown = key.fingerprint;
    // A further connection of the same link must meet the same server.
    if (this.#accepted) return this.#accepted.key.raw.equals(key.raw) ? this.#accepted.verdict : 'mismatch';
    const logged = await this.printed.expectedFor(key.fingerprint);
    const { verdict, expected } = await this.pins.judge(this.#subject, key, logged);
    if (verdict === 'mismatch') {
      this.#mismatch = { shown: key.fingerprint, expected, expectedFrom: logged.length > 0 ? 'log' : 'pin' };
      return verdict;
    }
    if (verdict === 'first-use') {
      // The log would have told, had it been readable: a failure that passes must not lower the guard.
      const problem = this.printed.problem;
      if (problem !== undefined && apiTrouble(problem) === 'passing') {
        this.#unreadableLog = problem;
        return 'mismatch';
      }
      if (this.mayBeStranger()) {
        this.#tooEarly = true;
        return 'mismatch';
      }
    }
    this.#accepted = { key, verdict };
    return verdict;
  }

  /** Pins the accepted key, once the login with it has succeeded. */
  async remember(): Promise<Trust> {
    const accepted = this.#accepted;
    if (!accepted) throw new Error('No host key was accepted');
    const { key, verdict } = accepted;
    try {
      if (!(await this.pins.pin(this.#subject, key, verdict)) && !(await this.#repin(accepted))) {
        const { expected } = await this.pins.judge(this.#subject, key);
        this.#mismatch = { shown: key.fingerprint, expected, expectedFrom: 'pin' };
      }
    } catch (error) {
      this.log.warn(`The host key ${key.fingerprint} could not be kept: ${messageOf(error)}`);
    }
    if (this.#mismatch) throw new Error('Another window has met another host key');
    return { verdict, fingerprint: key.fingerprint };
  }

  /** A container restarted in place has new keys within one start; the log proves them. */
  async #repin({ key, verdict }: { key: HostKey; verdict: Trust['verdict'] }): Promise<boolean> {
    if (verdict !== 'proven') return false;
    await this.pins.forget(this.#subject);
    return this.pins.pin(this.#subject, key, verdict);
  }
}
