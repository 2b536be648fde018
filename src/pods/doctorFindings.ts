import { DeadlineError, isCancelled, messageOf } from '../base/errors';
import { RunPodError } from '../runpod/errors';
import type { Account, Pod } from '../runpod/types';
import type { SshConnection } from '../ssh/connection';
import type { Identity } from '../ssh/identity';
import type { OwnKey } from '../ssh/ownKey';
import type { PodAddress } from './address';
import type { HostKeyCheck } from './hostKeyTrust';
import type { ReachDeps, ReachTimings } from './reach';

/** What is looked at, in this order; the last eight only for a pod. */
export type DoctorStepId = 'api-key' | 'account' | 'ssh-key' | 'pod' | 'address' | 'port' | 'banner' | 'host-key' | 'login' | 'sftp' | 'mount';

/** The one thing to do about a finding. The words, and the button, are the editor's. */
export type DoctorHint =
  | 'set-key'
  | 'check-permissions'
  | 'check-network'
  | 'try-later'
  | 'top-up'
  /** Let the extension make its key, or name one in the settings. */
  | 'make-ssh-key'
  /** Let only yourself read the key file. */
  | 'protect-ssh-key'
  /** Keys reach a pod only when it is created. */
  | 'create-pod-with-key'
  | 'start-pod'
  | 'wait'
  | 'show-log'
  | 'refresh'
  /** Without `22/tcp` and a public address there is only the proxy's shell. */
  | 'use-proxy-terminal'
  | 'expose-ssh-port'
  /** The image starts no SSH server, or its start command replaced the one that does. */
  | 'use-ssh-image'
  | 'restart-pod'
  /** Do not go on: find out who answers there. */
  | 'compare-host-keys'
  | 'unlock-ssh-key'
  | 'install-sftp'
  | 'add-storage'
  | 'free-space';

export interface Finding {
  readonly outcome: 'ok' | 'warning' | 'failed';
  /** What was found, for words; for a failed call the room's own code (`unauthorized`, `refused`, …). */
  readonly code: string;
  /** What the words need: names, numbers, fingerprints, the other side's own words (`detail`). Never a secret. */
  readonly params: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly hint?: DoctorHint;
}

export interface DoctorStep extends Omit<Finding, 'outcome'> {
  readonly id: DoctorStepId;
  /** `not-reached`: an earlier step, named in `params.after`, has to work first. */
  readonly outcome: Finding['outcome'] | 'not-reached';
}

export interface DoctorDeps extends ReachDeps {
  /** Any cheap call that needs the key. */
  readonly checkApiKey: (signal: AbortSignal) => Promise<unknown>;
  readonly readAccount: (signal: AbortSignal) => Promise<Account | undefined>;
  /** Public key lines of the account. */
  readonly accountKeys: (signal: AbortSignal) => Promise<readonly string[]>;
  /** The extension's own key. */
  readonly ownKey: () => Promise<OwnKey>;
  readonly timings?: Partial<ReachTimings>;
}

/** What the steps hand on to each other. */
export interface Visit {
  readonly deps: DoctorDeps;
  readonly timings: ReachTimings;
  readonly podId: string | undefined;
  readonly signal: AbortSignal;
  /** Read ahead, because the SSH key is looked for in the pod's environment. */
  pod?: Pod;
  podProblem?: unknown;
  identities?: readonly Identity[];
  address?: PodAddress;
  connection?: SshConnection;
  /** The judgement of the host key, and why the login that followed failed, if so. */
  hostKey?: HostKeyCheck;
  loginProblem?: unknown;
}

export interface Check {
  readonly id: DoctorStepId;
  /** Whether the steps after it make no sense when it fails. */
  readonly blocks: boolean;
  readonly run: (visit: Visit) => Promise<Finding>;
}

export const ok = (code: string, params: Finding['params'] = {}): Finding => ({ outcome: 'ok', code, params });
export const warning = (code: string, hint: DoctorHint, params: Finding['params'] = {}): Finding => ({ outcome: 'warning', code, params, hint });
export const failed = (code: string, hint: DoctorHint | undefined, params: Finding['params'] = {}): Finding => ({ outcome: 'failed', code, params, ...(hint ? { hint } : {}) });

/** What a failed call to the API means for the person. */
export function failureOf(error: unknown): Finding {
  const detail = error instanceof RunPodError ? (error.detail ?? error.message) : messageOf(error);
  if (isCancelled(error)) return failed('cancelled', undefined, { detail });
  if (error instanceof DeadlineError) return failed('timeout', 'try-later', { detail });
  if (!(error instanceof RunPodError)) return failed('unexpected', undefined, { detail });
  const hints: Partial<Record<RunPodError['code'], DoctorHint>> = {
    'no-key': 'set-key',
    unauthorized: 'set-key',
    'wrong-origin': 'set-key',
    forbidden: 'check-permissions',
    'payment-required': 'top-up',
    'not-found': 'refresh',
    network: 'check-network',
    'edge-blocked': 'check-network',
    'not-json': 'check-network',
  };
  return failed(error.code, hints[error.code] ?? 'try-later', { detail, status: error.status, requestId: error.requestId });
}
