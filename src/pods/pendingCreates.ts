import type { Pod, PodRow } from '../runpod/types';
import { CREATE_MARK } from './createMark';

/** A create that was sent and whose end is not known: the pod may exist and bill. */
export interface PendingCreate {
  /** The mark that its pod carries. */
  readonly mark: string;
  readonly name: string;
  /** When it was sent, ms since 1970. */
  readonly at: number;
  /** The API it was sent to, for a machine may know several accounts. */
  readonly origin: string;
}

/** Where they are kept, so that a reload of the window or a crash of the editor forgets none. */
export interface PendingShelf {
  read(): readonly PendingCreate[];
  write(all: readonly PendingCreate[]): PromiseLike<void>;
}

export interface PendingTimings {
  /** How long whoever sent it is left to find it, before others speak of it. */
  readonly patienceMs: number;
  /** After so long without a pod there is none: RunPod shows a new pod within moments. */
  readonly forgetMs: number;
}

const defaults: PendingTimings = { patienceMs: 90_000, forgetMs: 30 * 60_000 };

/**
 * The creates whose answers are awaited or lost. Noted before the request leaves, struck off when its end is certain;
 * what is left is looked for in every list of pods, so that no pod bills unseen.
 */
export class PendingCreates {
  readonly #timings: PendingTimings;
  /** Those this window is looking for itself. */
  readonly #mine = new Set<string>();

  constructor(
    private readonly shelf: PendingShelf,
    private readonly now: () => number = Date.now,
    timings: Partial<PendingTimings> = {},
  ) {
    this.#timings = { ...defaults, ...timings };
  }

  get all(): readonly PendingCreate[] {
    return this.shelf.read();
  }

  /** Resolves when it is written down: only then may the request leave. */
  async note(create: Omit<PendingCreate, 'at'>): Promise<void> {
    this.#mine.add(create.mark);
    await this.shelf.write([...this.shelf.read().filter((p) => p.mark !== create.mark), { ...create, at: this.now() }]);
  }

  /** Its end is certain: refused, or its pod is known. */
  async settle(mark: string): Promise<void> {
    this.#mine.delete(mark);
    await this.shelf.write(this.shelf.read().filter((p) => p.mark !== mark));
  }

  /** This window has stopped looking; the lists to come are looked through from now on. */
  letGo(mark: string): void {
    this.#mine.delete(mark);
  }

  /**
   * Looks for lost creates in a fresh list.
   * @param keep is given the pods that have shown up and done with them before they are struck off: none is forgotten between
   * @returns those pods
   */
  async reconcile(rows: readonly PodRow[], origin: string, keep: (pods: readonly Pod[]) => PromiseLike<void> = async () => undefined): Promise<Pod[]> {
    const now = this.now();
    const found: Pod[] = [];
    const before = this.shelf.read();
    const left = before.filter((pending) => {
      if (pending.origin !== origin) return true;
      const ours = this.#mine.has(pending.mark);
      const abandoned = !ours && now - pending.at >= this.#timings.patienceMs;
      const pod = podMarked(rows, pending.mark);
      if (pod && !ours && (abandoned || now < pending.at)) {
        found.push(pod);
        return false;
      }
      return ours || pod !== undefined || now - pending.at < this.#timings.forgetMs;
    });
    if (found.length > 0) await keep(found);
    // What was noted or settled meanwhile stays as it is.
    const gone = new Set(before.filter((pending) => !left.includes(pending)).map(({ mark }) => mark));
    if (gone.size > 0) await this.shelf.write(this.shelf.read().filter(({ mark }) => !gone.has(mark)));
    return found;
  }
}

/** The pod that one particular create made. */
export function podMarked(rows: readonly PodRow[], mark: string): Pod | undefined {
  for (const row of rows) if (row.kind === 'pod' && row.pod.env[CREATE_MARK] === mark) return row.pod;
  return undefined;
}
