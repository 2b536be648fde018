import { messageOf } from '../base/errors';
import { silentLog, type Logger } from '../base/log';
import { sleep } from '../base/time';
import type { HostKey } from './hostKeys';
import type { Pin, Pins } from './pinSchema';

/**
 * How much a server's host key is worth.
 * - `proven`: it is one of the fingerprints in the pod's own log, read over the authenticated API.
 * - `pinned`: the key of an earlier connection to the same start of the pod (or to the same host).
 * - `first-use`: nothing is known to compare it with; show the fingerprint.
 * - `mismatch`: something else was expected. Nothing may be sent.
 */
export type HostKeyVerdict = 'proven' | 'pinned' | 'first-use' | 'mismatch';

/**
 * Whose key it is. A pod's addresses change at every start and so do its keys, so a pod is known by its id and start; RunPod's
 * SSH proxy is one host for all.
 */
export type PinSubject =
  | { readonly podId: string; readonly startedAt: string | undefined }
  | { readonly host: string };

export interface Judgement {
  readonly verdict: HostKeyVerdict;
  /** The fingerprints that would have been right; empty on first use. */
  readonly expected: readonly string[];
}

/** Where pins are kept. Several windows share one place. */
export interface PinStorage {
  /** The text last written, `undefined` when there is none yet. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  /** Runs `work` while no other window does; without it writes are checked and repeated instead. */
  exclusive?<T>(work: () => Promise<T>): Promise<T>;
}

/** Pods come and go; pins of the long gone are dropped, oldest first. */
const maxPods = 500;

/** Remembers which host key belongs to which start of a pod, across windows and restarts of the editor. */
export class PinStore {
  /** This window's own pins, so that they hold even when the file cannot be written. */
  readonly #own: Pins = { version: 1, pods: {}, hosts: {} };
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly storage: PinStorage,
    private readonly log: Logger = silentLog,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /**
   * Judges a key; writes nothing. Call `pin` once the login with it succeeded: a key that was merely shown may be that of
   * another machine at an address that has moved on.
   * @param logged the fingerprints of the pod's log, empty when it has none. They outrank every pin but a person's word.
   */
  async judge(subject: PinSubject, key: HostKey, logged: readonly string[] = []): Promise<Judgement> {
    if (logged.includes(key.fingerprint)) return { verdict: 'proven', expected: logged };
    const pin = relevant(this.#find(await this.#load(), subject), subject);
    if (logged.length > 0) return { verdict: pin?.approved === true && pin.fingerprint === key.fingerprint ? 'pinned' : 'mismatch', expected: logged };
    if (pin === undefined) return { verdict: 'first-use', expected: [] };
    return { verdict: pin.fingerprint === key.fingerprint ? 'pinned' : 'mismatch', expected: [pin.fingerprint] };
  }

  /**
   * Remembers a key. The first key of a start stays: another one is refused, unless it is proven and the other is not.
   * @returns false when another key is pinned already (another window was first and saw another server).
   * @throws what the storage throws; the pin then holds for this window.
   */
  pin(subject: PinSubject, key: HostKey, verdict: HostKeyVerdict = 'first-use'): Promise<boolean> {
    const { fingerprint, type } = key;
    const startedAt = 'podId' in subject ? subject.startedAt : undefined;
    const pin: Pin = { fingerprint, type, pinnedAt: this.now().toISOString() };
    if (verdict === 'proven') pin.proven = true;
    if (startedAt !== undefined) pin.startedAt = startedAt;
    return this.#inTurn(async () => {
      let accepted = false;
      const apply = (pins: Pins): Pins | undefined => {
        const present = relevant(this.#find(pins, subject), subject);
        if (present !== undefined && present.fingerprint !== fingerprint && !(pin.proven === true && present.proven !== true)) {
          accepted = false;
          return undefined;
        }
        accepted = true;
        const kept = present?.fingerprint === fingerprint ? { ...present, ...pin, pinnedAt: present.pinnedAt, proven: present.proven ?? pin.proven } : pin;
        place(this.#own, subject, kept);
        const stored = slot(pins, subject);
        if (stored?.fingerprint === kept.fingerprint && stored.startedAt === kept.startedAt && stored.proven === kept.proven) return undefined;
        return place(pins, subject, kept);
      };
      await this.#update(apply);
      return accepted;
    });
  }

  /** A person has compared this fingerprint and says that it is right: for this start of the pod, or for this host, it takes the place of any other. */
  approve(subject: PinSubject, fingerprint: string): Promise<void> {
    const startedAt = 'podId' in subject ? subject.startedAt : undefined;
    const pin: Pin = { fingerprint, type: 'unknown', pinnedAt: this.now().toISOString(), approved: true, ...(startedAt === undefined ? {} : { startedAt }) };
    return this.#inTurn(async () => {
      place(this.#own, subject, pin);
      await this.#update((pins) => (slot(pins, subject)?.approved === true && slot(pins, subject)?.fingerprint === fingerprint ? undefined : place(pins, subject, pin)));
    });
  }

  /** Forgets what is known of a host or pod. */
  forget(subject: PinSubject): Promise<void> {
    return this.#inTurn(() => {
      remove(this.#own, subject);
      return this.#update((pins) => (slot(pins, subject) === undefined ? undefined : remove(pins, subject)));
    });
  }

  /** One change after the other within a window. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /**
   * Reads, changes and writes back, so that nothing another window wrote is lost. Where the storage cannot lock, the result
   * is read again after a moment and the change repeated if another window's write fell on top of it.
   */
  async #update(change: (pins: Pins) => Pins | undefined): Promise<void> {
    const once = async (): Promise<boolean> => {
      const changed = change(await this.#load());
      if (changed === undefined) return false;
      await this.storage.write(JSON.stringify(prune(changed), undefined, 2));
      return true;
    };
    if (this.storage.exclusive !== undefined) {
      await this.storage.exclusive(once);
      return;
    }
    for (let attempt = 0; attempt < 8 && (await once()); attempt++) await sleep(30 + Math.random() * 40);
  }

  async #load(): Promise<Pins> {
    const empty: Pins = { version: 1, pods: {}, hosts: {} };
    const text = await this.storage.read();
    if (text === undefined || text.trim() === '') return empty;
    try {
      // Loaded with the first pins, so that a start of the editor does not pay for it.
      const { pinFileSchema } = await import('./pinSchema');
      return pinFileSchema.parse(JSON.parse(text));
    } catch (error) {
      // A torn or foreign file is no reason to refuse to work: keys count as new again, and their fingerprints are shown.
      this.log.warn(`The stored host keys cannot be read and are started anew: ${messageOf(error)}`);
      return empty;
    }
  }

  #find(pins: Pins, subject: PinSubject): Pin | undefined {
    return relevant(slot(pins, subject), subject) ?? slot(this.#own, subject);
  }
}

/** The pin, unless it belongs to another start of the pod. An unknown start is compared with whatever is known. */
function relevant(pin: Pin | undefined, subject: PinSubject): Pin | undefined {
  if (pin === undefined || 'host' in subject) return pin;
  if (subject.startedAt === undefined || pin.startedAt === subject.startedAt) return pin;
  // Pinned without knowing the start: it cannot belong to one that came after.
  if (pin.startedAt === undefined) return Date.parse(subject.startedAt) > Date.parse(pin.pinnedAt) ? undefined : pin;
  // Asked with older news than the pin has: the pod has been started again since, so that key is the one to expect.
  return Date.parse(subject.startedAt) < Date.parse(pin.startedAt) ? pin : undefined;
}

const slot = (pins: Pins, subject: PinSubject): Pin | undefined =>
  'host' in subject ? pins.hosts[subject.host] : pins.pods[subject.podId];

function place(pins: Pins, subject: PinSubject, pin: Pin): Pins {
  if ('host' in subject) pins.hosts[subject.host] = pin;
  else pins.pods[subject.podId] = pin;
  return pins;
}

function remove(pins: Pins, subject: PinSubject): Pins {
  if ('host' in subject) delete pins.hosts[subject.host];
  else delete pins.pods[subject.podId];
  return pins;
}

function prune(pins: Pins): Pins {
  const byAge = Object.entries(pins.pods).sort(([, a], [, b]) => b.pinnedAt.localeCompare(a.pinnedAt));
  return byAge.length <= maxPods ? pins : { ...pins, pods: Object.fromEntries(byAge.slice(0, maxPods)) };
}
