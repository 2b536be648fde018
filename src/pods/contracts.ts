import type { Pod } from '../runpod/types';

/** Why a pod cannot be reached right now, and so what would help. Words live in the editor's room. */
export type UnavailableCode =
  | 'stopped'
  /** RunPod calls its status ERROR. */
  | 'failed'
  | 'starting'
  | 'gone'
  /** No `22/tcp` among its ports, or no public address: the proxy carries a shell only. */
  | 'proxy-only'
  /** The API tells an address that cannot be a pod's: this machine, or its own link. Nobody connects to it. */
  | 'bad-address'
  /** RUNNING, yet nothing answers on its SSH port (an image without sshd, or not yet). */
  | 'no-ssh'
  | 'unreachable'
  | 'host-key'
  | 'auth'
  | 'no-api-key'
  | 'api';

/** What stands behind a reason, for words that help. Each is there only when it is known. */
export interface UnavailableFacts {
  readonly host?: string;
  readonly port?: number;
  /** The host key that was shown, as `ssh-keygen -l` prints it. */
  readonly fingerprint?: string;
  /** The host keys that would have been right. */
  readonly expected?: readonly string[];
  /** Whether the right ones come from the pod's own log or from an earlier connection to the same start of the pod. */
  readonly expectedFrom?: 'log' | 'pin';
}

/** A pod that cannot be reached, with the pod as last seen and RunPod's or the server's own words as cause. */
export class PodUnavailableError extends Error {
  override readonly name = 'PodUnavailableError';
  readonly facts: UnavailableFacts;
  constructor(
    readonly code: UnavailableCode,
    readonly podId: string,
    readonly pod: Pod | undefined,
    options?: { cause?: unknown; detail?: string; facts?: UnavailableFacts },
  ) {
    super(options?.detail ?? `Pod ${podId}: ${code}`, options?.cause === undefined ? undefined : { cause: options.cause });
    this.facts = options?.facts ?? {};
  }
}
