import { messageOf } from '../base/errors';
import { RunPodError } from '../runpod/errors';
import type { Pod } from '../runpod/types';
import { isSshError } from '../ssh/errors';
import { PodUnavailableError, type UnavailableCode } from './contracts';
import { apiTrouble } from './podApi';

/** Why a pod in this status has no connection; `undefined` for one that runs, or whose status is not known. */
export function unavailableByStatus(pod: Pod): PodUnavailableError | undefined {
  const codes: Partial<Record<Pod['status'], UnavailableCode>> = { EXITED: 'stopped', ERROR: 'failed', TERMINATED: 'gone', PROVISIONING: 'starting', STARTING: 'starting' };
  const code = codes[pod.status];
  return code && new PodUnavailableError(code, pod.id, pod, { detail: `Pod ${pod.id} is ${pod.status}` });
}

/** Why a pod is not called at the address that RunPod tells, where that is none that a pod can have. */
export function unavailableByAddress(pod: Pod): PodUnavailableError | undefined {
  const host = pod.ssh.refused;
  return host === undefined ? undefined : new PodUnavailableError('bad-address', pod.id, pod, { detail: `Pod ${pod.id} cannot be at ${host}`, facts: { host } });
}

/** What a failed read of a pod says about it. */
export function unavailableByApi(podId: string, error: unknown): PodUnavailableError {
  const code = error instanceof RunPodError && error.code === 'not-found' ? 'gone' : apiTrouble(error) === 'key' ? 'no-api-key' : 'api';
  return new PodUnavailableError(code, podId, undefined, { cause: error, detail: messageOf(error) });
}

/** What a failure to connect says about the pod. */
export function unavailableCodeOf(error: unknown): UnavailableCode {
  if (!isSshError(error)) return 'unreachable';
  switch (error.code) {
    case 'refused':
    case 'not-ssh':
      return 'no-ssh';
    case 'host-key-mismatch':
    case 'host-key-rejected':
      return 'host-key';
    case 'auth-failed':
    case 'key-locked':
    case 'key-unreadable':
      return 'auth';
    case 'unreachable':
    case 'timeout':
    case 'closed':
    case 'channel-refused':
    case 'no-sftp':
    case 'protocol':
      return 'unreachable';
  }
}

/** What may be better in a while without anybody doing something about the pod. */
export function isPassing(reason: PodUnavailableError): boolean {
  switch (reason.code) {
    case 'no-ssh':
    case 'unreachable':
    case 'starting':
      return true;
    case 'api':
      return apiTrouble(reason.cause) === 'passing';
    case 'stopped':
    case 'failed':
    case 'gone':
    case 'proxy-only':
    case 'bad-address':
    case 'host-key':
    case 'auth':
    case 'no-api-key':
      return false;
  }
}
