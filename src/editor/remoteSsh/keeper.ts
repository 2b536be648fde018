import type { Disposable } from '../../base/disposable';
import { DisposableStore } from '../../base/disposable';
import { messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { sleep } from '../../base/time';
import { sameAddress, startOf, type PodAddress } from '../../pods/address';
import type { ReachDeps } from '../../pods/reach';
import { PodSession, type PodSessions } from '../../pods/session';
import type { PodStore } from '../../pods/store';
import type { Pod } from '../../runpod/types';
import type { ConfigFiles, KnownConfig } from '../../ssh/configFiles';
import { aliasesFor, canHaveAlias, hostKeyAlias, type ConfigHost } from '../../ssh/configText';
import { knownHostsLine } from '../../ssh/hostKeys';

interface KeyFiles {
  readonly files: readonly string[];
  readonly certain: boolean;
}

export interface KeeperDeps {
  readonly store: Pick<PodStore, 'state' | 'onDidChange'>;
  readonly sessions: Pick<PodSessions, 'get' | 'peek' | 'onDidChange'>;
  /** For looking at a pod that no window is connected to: may ask nobody anything, and pins nothing. */
  readonly reach: ReachDeps;
  readonly files: ConfigFiles;
  /** The private key files that a pod takes, and whether that is certain. */
  readonly keyFiles: (pod: Pod) => Promise<KeyFiles>;
  /** The person has let us. */
  readonly enabled: () => boolean;
  readonly log: Logger;
  /** Several windows hear the same news; whoever waits longer finds the work done. Milliseconds. */
  readonly spreadMs?: number;
}

interface Checked {
  readonly start: string;
  readonly address: PodAddress;
  /** Its line of `known_hosts`. */
  readonly line: string;
  readonly at: number;
}

/** What was found for this very start before. */
const keyFilesOf = (prior: ConfigHost | undefined, start: string): KeyFiles | undefined => (prior?.start === start && prior.identityFiles.length > 0 ? { files: prior.identityFiles, certain: prior.identitiesOnly } : undefined);

/** Right after a start the list may still tell the old address; what a connection has found counts for so long. */
const freshMs = 3 * 60_000;
const lookMs = 3 * 60_000;
/** A pod that could not be looked at is tried again after this long, then twice as long, and so on up to the last. */
const againMs = { first: 60_000, last: 15 * 60_000 };

/**
 * Keeps OpenSSH's view of the pods true: an alias for each, with the address and the checked host key of its present start.
 * An address is written only beside a key that was checked against the pod's own log or its pin; a stopped pod's alias leads
 * nowhere, and a terminated pod's is taken out.
 */
export class AliasKeeper implements Disposable {
  readonly #checked = new Map<string, Checked>();
  readonly #looks = new Map<string, { readonly what: string; readonly after: number; readonly tries: number }>();
  readonly #ends = new AbortController();
  readonly #open = new DisposableStore();
  #turn: Promise<void> = Promise.resolve();
  #queued = false;

  constructor(private readonly deps: KeeperDeps) {}

  /** Begins to listen; nothing is read or written before the first news. */
  start(): void {
    const { store, sessions } = this.deps;
    this.#open.add(store.onDidChange(() => this.update()));
    this.#open.add(
      sessions.onDidChange((session) => {
        if (session.state === 'connected' && this.#adopt(session)) this.update();
      }),
    );
    this.update();
  }

  dispose(): void {
    this.#ends.abort();
    this.#open.dispose();
  }

  /** Brings the files up to date with the list, soon. */
  update(): void {
    if (this.#queued || !this.deps.enabled()) return;
    this.#queued = true;
    this.#turn = this.#turn.then(async () => {
      this.#queued = false;
      try {
        if (!this.#ends.signal.aborted) await this.#write();
      } catch (error) {
        this.deps.log.warn(`SSH config: ${messageOf(error)}`);
      }
    });
  }

  /** When all that is known by now has been written. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  /**
   * Connects to the pod, which may ask a person for a passphrase, and gives back its alias, ready for use.
   * @throws PodUnavailableError
   */
  async ensure(podId: string, signal?: AbortSignal): Promise<ConfigHost> {
    const session = this.deps.sessions.get(podId);
    await session.link(signal);
    this.#adopt(session);
    this.update();
    await this.settled();
    const host = (await this.deps.files.read()).hosts.find((one) => one.podId === podId);
    if (host === undefined || typeof host.at === 'string') throw new Error(`No alias for pod ${podId} in ${this.deps.files.config}`);
    return host;
  }

  #adopt(session: PodSession): boolean {
    const { reached } = session;
    if (reached === undefined || !canHaveAlias(reached.pod.id)) return false;
    const { pod, address, hostKey } = reached;
    this.#checked.set(pod.id, { start: startOf(pod), address, line: knownHostsLine(hostKeyAlias(pod.id), undefined, hostKey.raw), at: performance.now() });
    return true;
  }

  async #write(): Promise<void> {
    const { store, files, enabled } = this.deps;
    const { phase, pods, rows } = store.state;
    if (phase !== 'ready') return;
    const wanted = pods.filter((pod) => canHaveAlias(pod.id) && pod.status !== 'TERMINATED' && (pod.ssh.direct !== undefined || pod.ports.includes('22/tcp')));
    // A pod whose row cannot be read at the moment is still there.
    const unreadable = new Set(rows.flatMap((row) => (row.kind === 'unreadable' && row.row.id !== undefined ? [row.row.id] : [])));
    // Looking for key files takes its time; meanwhile another window may write what it has found out.
    const keyFiles = await this.#keyFiles(wanted, await files.read());
    await files.change((before) => {
      if (!enabled()) return before;
      const aliases = aliasesFor(wanted, new Map(before.hosts.map(({ podId, alias }) => [podId, alias])));
      const hosts = before.hosts.filter(({ podId }) => unreadable.has(podId));
      const keys = new Map([...before.keys].filter(([podId]) => unreadable.has(podId)));
      for (const pod of wanted) {
        const { host, key } = this.#hostOf(pod, aliases.get(pod.id) ?? hostKeyAlias(pod.id), before, keyFiles.get(pod.id));
        hosts.push(host);
        if (key !== undefined) keys.set(pod.id, key);
      }
      return { hosts, keys };
    });
  }

  /** For the pods whose address is known, and whose key files are not yet. */
  async #keyFiles(pods: readonly Pod[], before: KnownConfig): Promise<ReadonlyMap<string, KeyFiles>> {
    const found = new Map<string, KeyFiles>();
    for (const pod of pods) {
      if (pod.status !== 'RUNNING') continue;
      const prior = before.hosts.find(({ podId }) => podId === pod.id);
      if (keyFilesOf(prior, startOf(pod)) !== undefined || this.#checkedFor(pod, prior, before.keys.get(pod.id)) === undefined) continue;
      found.set(pod.id, await this.deps.keyFiles(pod));
    }
    return found;
  }

  #hostOf(pod: Pod, alias: string, before: KnownConfig, keyFiles: KeyFiles | undefined): { readonly host: ConfigHost; readonly key?: string } {
    const start = startOf(pod);
    const prior = before.hosts.find(({ podId }) => podId === pod.id);
    const nowhere = (at: 'stopped' | 'unchecked'): { host: ConfigHost } => ({ host: { podId: pod.id, alias, start, at, identityFiles: [], identitiesOnly: false } });
    if (pod.status === 'EXITED') return nowhere('stopped');
    if (pod.status !== 'RUNNING') return nowhere('unchecked');
    const checked = this.#checkedFor(pod, prior, before.keys.get(pod.id));
    const identity = keyFilesOf(prior, start) ?? keyFiles;
    if (checked === undefined) {
      this.#look(pod, start);
      return nowhere('unchecked');
    }
    if (identity === undefined) {
      // Found out a moment ago: the next writing, which follows at once, knows its keys.
      queueMicrotask(() => this.update());
      return nowhere('unchecked');
    }
    return { host: { podId: pod.id, alias, start, at: checked.address, identityFiles: identity.files, identitiesOnly: identity.certain }, key: checked.line };
  }

  /** What has been found out about this very start, by the connection there is or before. */
  #checkedFor(pod: Pod, prior: ConfigHost | undefined, line: string | undefined): Pick<Checked, 'address' | 'line'> | undefined {
    const connected = this.deps.sessions.peek(pod.id);
    if (connected?.state === 'connected') this.#adopt(connected);
    return this.#valid(pod, startOf(pod), prior, line);
  }

  /** What has been found out about this very start, by this window or an earlier one. */
  #valid(pod: Pod, start: string, prior: ConfigHost | undefined, line: string | undefined): Pick<Checked, 'address' | 'line'> | undefined {
    const told = pod.ssh.direct;
    const mine = this.#checked.get(pod.id);
    if (mine?.start === start && (told === undefined || sameAddress(mine.address, told) || performance.now() - mine.at < freshMs)) return mine;
    if (prior === undefined || line === undefined || typeof prior.at === 'string' || prior.start !== start || !sameAddress(prior.at, told)) return undefined;
    return { address: prior.at, line };
  }

  /** Connects once, to check the host key; the connection is not kept. */
  #look(pod: Pod, start: string): void {
    const { direct } = pod.ssh;
    if (direct === undefined) return;
    const what = `${start} ${direct.host}:${direct.port}`;
    const last = this.#looks.get(pod.id);
    const now = performance.now();
    if (last?.what === what && now < last.after) return;
    const tries = last?.what === what ? last.tries + 1 : 0;
    this.#looks.set(pod.id, { what, tries, after: now + lookMs + Math.min(againMs.last, againMs.first * 2 ** tries) });
    void this.#lookNow(pod.id, start);
  }

  async #lookNow(podId: string, start: string): Promise<void> {
    const { reach, files, log, spreadMs = 1_500 } = this.deps;
    const session = new PodSession(podId, reach);
    try {
      await sleep(Math.random() * spreadMs, this.#ends.signal);
      const { hosts } = await files.read();
      if (hosts.some((host) => host.podId === podId && host.start === start && typeof host.at !== 'string')) return this.update();
      await session.link(AbortSignal.any([this.#ends.signal, AbortSignal.timeout(lookMs)]));
      // A key that nobody has vouched for is shown to a person first, by a connection that they make.
      if (session.trust?.verdict !== 'first-use' && this.#adopt(session)) this.update();
    } catch (error) {
      log.debug(`SSH config: ${podId} could not be looked at: ${messageOf(error)}`);
    } finally {
      session.dispose();
    }
  }
}
