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
import { aliasesFor, hostKeyAlias, type ConfigHost } from '../../ssh/configText';
import { knownHostsLine } from '../../ssh/hostKeys';

export interface KeeperDeps {
  readonly store: Pick<PodStore, 'state' | 'onDidChange'>;
  readonly sessions: Pick<PodSessions, 'get' | 'peek' | 'onDidChange'>;
  /** For looking at a pod that no window is connected to: may ask nobody anything, and pins nothing. */
  readonly reach: ReachDeps;
  readonly files: ConfigFiles;
  /** The private key files that a pod takes, and whether that is certain. */
  readonly keyFiles: (pod: Pod) => Promise<{ readonly files: readonly string[]; readonly certain: boolean }>;
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
    if (reached === undefined) return false;
    const { pod, address, hostKey } = reached;
    this.#checked.set(pod.id, { start: startOf(pod), address, line: knownHostsLine(hostKeyAlias(pod.id), undefined, hostKey.raw), at: performance.now() });
    return true;
  }

  async #write(): Promise<void> {
    const { store, files } = this.deps;
    const { phase, pods, rows } = store.state;
    if (phase !== 'ready') return;
    const before = await files.read();
    const wanted = pods.filter((pod) => pod.status !== 'TERMINATED' && (pod.ssh.direct !== undefined || pod.ports.includes('22/tcp')));
    const aliases = aliasesFor(wanted, new Map(before.hosts.map(({ podId, alias }) => [podId, alias])));
    // A pod whose row cannot be read at the moment is still there.
    const unreadable = new Set(rows.flatMap((row) => (row.kind === 'unreadable' && row.row.id !== undefined ? [row.row.id] : [])));
    const hosts = before.hosts.filter(({ podId }) => unreadable.has(podId));
    const keys = new Map([...before.keys].filter(([podId]) => unreadable.has(podId)));
    for (const pod of wanted) {
      const { host, key } = await this.#hostOf(pod, aliases.get(pod.id) ?? hostKeyAlias(pod.id), before);
      hosts.push(host);
      if (key !== undefined) keys.set(pod.id, key);
    }
    await files.write(hosts, keys);
  }

  async #hostOf(pod: Pod, alias: string, before: KnownConfig): Promise<{ readonly host: ConfigHost; readonly key?: string }> {
    const start = startOf(pod);
    const prior = before.hosts.find(({ podId }) => podId === pod.id);
    const nowhere = (at: 'stopped' | 'unchecked'): { host: ConfigHost } => ({ host: { podId: pod.id, alias, start, at, identityFiles: [], identitiesOnly: false } });
    if (pod.status === 'EXITED') return nowhere('stopped');
    if (pod.status !== 'RUNNING') return nowhere('unchecked');
    const connected = this.deps.sessions.peek(pod.id);
    if (connected?.state === 'connected') this.#adopt(connected);
    const checked = this.#valid(pod, start, prior, before.keys.get(pod.id));
    if (checked === undefined) {
      this.#look(pod, start);
      return nowhere('unchecked');
    }
    const known = prior !== undefined && prior.start === start && prior.identityFiles.length > 0;
    const identity = known ? { files: prior.identityFiles, certain: prior.identitiesOnly } : await this.deps.keyFiles(pod);
    return { host: { podId: pod.id, alias, start, at: checked.address, identityFiles: identity.files, identitiesOnly: identity.certain }, key: checked.line };
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
