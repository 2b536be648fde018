import type { SshStage } from './errors';

/** How long a person may take to answer. A server gives a login two minutes in all (OpenSSH's LoginGraceTime). */
const patienceMs = 110_000;

/** Gives every stage of a login its own deadline, and people more time than machines. */
export class StageClock {
  #stage: SshStage = 'banner';
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly stageMs: number,
    private readonly onExpire: (stage: SshStage, ms: number) => void,
  ) {}

  get stage(): SshStage {
    return this.#stage;
  }

  enter(stage: SshStage): void {
    this.#stage = stage;
    this.#wind(this.stageMs);
  }

  /** Waits for a person, or something that may ask one (a passphrase, an agent, a question about the host key). */
  async waitForPerson<T>(answer: Promise<T>): Promise<T> {
    this.#wind(Math.max(this.stageMs, patienceMs));
    try {
      return await answer;
    } finally {
      this.#wind(this.stageMs);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wind(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.onExpire(this.#stage, ms), ms);
  }
}
