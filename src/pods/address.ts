import type { Pod } from '../runpod/types';
import { PodUnavailableError } from './contracts';
import { unavailableByAddress, unavailableByStatus } from './unavailable';

/** Where a pod's own sshd answers for one start of the pod. */
export interface PodAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
}

/** A name for one start of a pod: every start has new host keys and a new address. */
export const startOf = (pod: Pod): string => pod.startedAt?.toISOString() ?? 'unknown';

export const sameAddress = (a: PodAddress | undefined, b: PodAddress | undefined): boolean =>
  a?.host === b?.host && a?.port === b?.port && a?.username === b?.username;

/** Milliseconds since the pod's start, at least 0; `undefined` where RunPod does not say when it started. */
export const startedFor = (pod: Pod, now: number): number | undefined =>
  pod.startedAt === undefined ? undefined : Math.max(0, now - pod.startedAt.getTime());

export interface AddressOptions {
  /** Milliseconds since 1970 on the API's clock. */
  readonly now: number;
  /** How long after its start a pod may still be waiting for a public port. It has taken minutes. */
  readonly publicPortWaitMs: number;
}

export const defaultPublicPortWaitMs = 5 * 60_000;

/**
 * The direct SSH address of a running pod, as the API tells it now.
 * @throws PodUnavailableError `stopped`, `failed`, `starting`, `gone`, `bad-address`, `proxy-only` or `no-ssh`, which says why there is none
 */
export function addressOf(pod: Pod, options: AddressOptions): PodAddress {
  const byStatus = unavailableByStatus(pod);
  if (byStatus) throw byStatus;
  const unavailable = (code: PodUnavailableError['code'], detail: string): PodUnavailableError =>
    new PodUnavailableError(code, pod.id, pod, { detail });
  const direct = pod.ssh.direct;
  if (direct) return { host: direct.host, port: direct.port, username: direct.username };
  const byAddress = unavailableByAddress(pod);
  if (byAddress) throw byAddress;
  if (awaitsPublicPort(pod, options)) throw unavailable('starting', `Pod ${pod.id} has no public SSH port yet`);
  if (pod.ssh.proxy) throw unavailable('proxy-only', `Pod ${pod.id} has no direct SSH address`);
  throw unavailable('no-ssh', `Pod ${pod.id} has no SSH address`);
}

/**
 * `22/tcp` is asked for, so a public port should come: on Secure Cloud always, on Community Cloud only where the
 * machine has a public address, which nobody can tell but by waiting.
 */
function awaitsPublicPort(pod: Pod, options: AddressOptions): boolean {
  if (!pod.ports.includes('22/tcp')) return false;
  const age = startedFor(pod, options.now);
  const { uptimeSeconds } = pod.runtime ?? {};
  // RUNNING, and so the start, may be told long before the container runs: an image takes its time.
  if (uptimeSeconds === undefined) return age === undefined || age < options.publicPortWaitMs * 6;
  return uptimeSeconds * 1000 < options.publicPortWaitMs || age === undefined || age < options.publicPortWaitMs;
}
