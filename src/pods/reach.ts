import { isCancelled, messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import { withDeadline } from '../base/time';
import type { Pod } from '../runpod/types';
import { isSshError } from '../ssh/errors';
import type { HostKey } from '../ssh/hostKeys';
import type { Identity } from '../ssh/identity';
import type { PinStore } from '../ssh/pins';
import { SshLink } from '../ssh/pool';
import { probeBanner } from '../ssh/probe';
import { addressOf, type PodAddress } from './address';
import { PodUnavailableError, type UnavailableCode, type UnavailableFacts } from './contracts';
import { HostKeyCheck, type Trust } from './hostKeyTrust';
import type { GetPod, ReadPodLogs } from './podApi';
import { PrintedKeys, type PrintedKeysTimings } from './printedKeys';
import { unavailableByApi, unavailableCodeOf } from './unavailable';
import type { Whereabouts } from './whereabouts';

export interface ReachDeps {
  readonly getPod: GetPod;
  readonly logs: ReadPodLogs;
  /** The keys to offer, the best first. When one is used a person may be asked for its passphrase, if `mayAsk` says so by then. */
  readonly identities: (pod: Pod, mayAsk?: () => boolean) => Promise<readonly Identity[]>;
  readonly pins: PinStore;
  readonly log: Logger;
  /** Milliseconds since 1970 on the API's clock; this machine's unless told. */
  readonly now?: () => number;
}

export interface ReachTimings {
  /** How long after a start a wrong or silent address is taken for that of the start before. */
  readonly freshMs: number;
  /** How long the API must keep to an address before an unproven key is trusted there right after a start. */
  readonly settleMs: number;
  readonly readMs: number;
  readonly probeMs: number;
  /** Each stage of the SSH connection. */
  readonly stageMs: number;
  readonly publicPortWaitMs: number;
  readonly keepaliveMs: number;
  readonly printedKeys: Partial<PrintedKeysTimings>;
}

export const defaultReachTimings: ReachTimings = {
  freshMs: 3 * 60_000,
  settleMs: 4_000,
  readMs: 20_000,
  probeMs: 8_000,
  stageMs: 15_000,
  publicPortWaitMs: 5 * 60_000,
  keepaliveMs: 10_000,
  printedKeys: {},
};

export interface Reached {
  readonly link: SshLink;
  readonly pod: Pod;
  readonly address: PodAddress;
  readonly trust: Trust;
  /** The server's key, checked. */
  readonly hostKey: HostKey;
}

/** One attempt that did not get there. */
export class ReachFailed extends Error {
  override readonly name = 'ReachFailed';
  constructor(
    readonly reason: PodUnavailableError,
    /** The pod has just started, so this may be the fault of an address that is still the old one: look again. */
    readonly soonOver: boolean,
  ) {
    super(reason.message, { cause: reason });
  }
}

/**
 * Tries once to get an SSH connection to a pod: its address fresh from the API, its port and banner probed, its host key
 * checked against its own log (read meanwhile) or against the pin of this start, then the login.
 * @throws ReachFailed; CancelledError
 */
export async function reach(deps: ReachDeps, timings: ReachTimings, podId: string, whereabouts: Whereabouts, signal: AbortSignal, mayAsk?: () => boolean): Promise<Reached> {
  const now = (): number => (deps.now ?? Date.now)();
  const pod = await readPod(deps, timings, podId, signal);
  whereabouts.see(pod, now());
  const fresh = whereabouts.fresh(pod, now());
  let address: PodAddress;
  try {
    address = addressOf(pod, { now: now(), publicPortWaitMs: timings.publicPortWaitMs });
  } catch (error) {
    if (!(error instanceof PodUnavailableError)) throw error;
    throw new ReachFailed(error, fresh && error.code === 'starting' && pod.status === 'RUNNING');
  }
  const { host, port } = address;
  const fail = (code: UnavailableCode, soonOver: boolean, cause: unknown, facts: UnavailableFacts = {}, detail?: string): ReachFailed =>
    new ReachFailed(new PodUnavailableError(code, podId, pod, { cause, facts: { host, port, ...facts }, detail: detail ?? messageOf(cause) }), soonOver);

  const keys = new PrintedKeys(deps.logs, pod, deps.log, timings.printedKeys, now());
  const check = new HostKeyCheck(deps.pins, pod, keys, deps.log, () => fresh && !whereabouts.settled(pod, address, timings.settleMs, now()));
  try {
    const [, identities] = await Promise.all([probeBanner(host, port, { deadlineMs: timings.probeMs, signal }), deps.identities(pod, mayAsk)]);
    const link = await SshLink.open({
      host,
      port,
      username: address.username,
      identities,
      expectedPublicKeys: (pod.env['PUBLIC_KEY'] ?? '').split('\n'),
      verifyHostKey: (key) => check.verify(key),
      deadlineMs: timings.stageMs,
      keepaliveMs: timings.keepaliveMs,
      signal,
      log: deps.log,
    });
    try {
      const trust = await check.remember();
      whereabouts.reached(pod, address);
      if (check.key === undefined) throw new Error('No host key was accepted');
      return { link, pod, address, trust, hostKey: check.key };
    } catch (error) {
      link.end();
      throw error;
    }
  } catch (error) {
    if (isCancelled(error) || signal.aborted) throw error;
    if (check.tooEarly) throw fail('starting', true, error, {}, `Pod ${podId} has just started and its address may still change`);
    if (check.unreadableLog !== undefined) throw fail('api', fresh, check.unreadableLog);
    if (check.mismatch) {
      const { shown, expected, expectedFrom } = check.mismatch;
      const detail = `${host}:${port} shows the host key ${shown}, expected ${expected.join(' or ')} (${expectedFrom === 'log' ? "from the pod's log" : 'as before in this start'})`;
      throw fail('host-key', fresh, error, { fingerprint: shown, expected, expectedFrom }, detail);
    }
    const code = unavailableCodeOf(error);
    // A machine that is not proven and knows none of our keys may be somebody else's at the old address.
    const someoneElse = code === 'auth' && isSshError(error, 'auth-failed') && check.verdict !== 'proven';
    throw fail(code, fresh && (code === 'no-ssh' || code === 'unreachable' || someoneElse), error, check.shown === undefined ? {} : { fingerprint: check.shown });
  } finally {
    keys.dispose();
  }
}

/** The pod as the API tells it now. */
async function readPod(deps: ReachDeps, timings: ReachTimings, podId: string, signal: AbortSignal): Promise<Pod> {
  try {
    return await withDeadline(deps.getPod(podId, signal), timings.readMs, `Reading pod ${podId}`, signal);
  } catch (error) {
    if (isCancelled(error) || signal.aborted) throw error;
    throw new ReachFailed(unavailableByApi(podId, error), false);
  }
}
