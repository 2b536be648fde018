import type { ImageKind, LinkShape } from './machine';
import type { LogIds } from './logs';
import type { PodAction } from './pod';
import type { Quotas } from './ratelimit';

/** Which state of the published contract the API speaks. `2026-10`: pages, exec-form commands, secrets, 413. */
export type ContractVersion = '2026-08' | '2026-10';

/** How long each step takes, in milliseconds of pod time. */
export interface Timings {
  readonly provisioningMs: number;
  /** Image pull of a new pod. */
  readonly pullMs: number;
  /** Container start of a pod whose image is already on its machine. */
  readonly startMs: number;
  /** From RUNNING until `ssh.direct` and the port mappings show. */
  readonly directDelayMs: number;
  /** From RUNNING after a stop until the API forgets the address of the start before. */
  readonly oldPortMs: number;
  /** From RUNNING until sshd listens. */
  readonly sshDelayMs: number;
  /** From EXITED, or gone, until the processes are ended. */
  readonly stopMs: number;
}

/** A GPU type or a data center, or one in the other, that has nothing free. */
export interface Shortage {
  readonly gpu?: string;
  readonly dataCenter?: string;
  /** The catalog goes on saying there is stock, as it does when the last one went a moment ago. */
  readonly catalogUnaware?: boolean;
}

/** All that can be changed while the simulator runs (see README.md). Times are wall time unless they say otherwise. */
export interface Settings {
  contract: ContractVersion;
  quotas: Quotas;
  timings: Timings;
  /** Added before each answer of the API, milliseconds. */
  latencyMs: number;
  /** `missing`: clients without a User-Agent and Python's urllib meet Cloudflare's 403; `strict`: other defaults too. */
  userAgents: 'any' | 'missing' | 'strict';
  shortages: readonly Shortage[];
  /** `old`: a create that names no CUDA version is placed on the oldest driver there is. */
  drivers: 'new' | 'old';
  /** Whether status is RUNNING as soon as a machine is found, as has been seen, or when the container starts. */
  runningFrom: 'placement' | 'container';
  /** What a stopped pod finds on its machine: its GPU; none, shown as no `gpu` or as count 0; a refusal of its start. */
  startGpu: 'ok' | 'absent' | 'zero' | 'refuse-400' | 'refuse-409';
  /** Actions that are accepted and never done. */
  ignoredActions: readonly PodAction[];
  /** Whether the key inside a pod may stop it. */
  podKeyMayStop: boolean;
  graphql: 'on' | 'gone' | 'forbidden' | 'errors';
  /** `refuse`: spot pods answer with a capacity error. */
  spot: 'refuse' | 'on';
  /** The market price of spot pods, as a part of the price on demand. */
  spotShare: number;
  /** A new pod is 404, or missing from the list, for this long. */
  hiddenAfterCreateMs: number;
  unlistedAfterCreateMs: number;
  /** Pods started from now on have no public address, only the proxy. */
  proxyOnly: boolean;
  /** How the links of pods started from now on behave. */
  link: LinkShape;
  /** After a start, another tenant's sshd answers on the address of the start before. */
  oldPortAnswersForStranger: boolean;
  /** Lines printed after the host-key fingerprints by pods started from now on. */
  chatterLines: number;
  /** Bytes that fit on the volumes of pods started from now on; 0 for no limit of its own. */
  volumeQuotaBytes: number;
  /** More image conventions: a part of the image name and what it stands for. */
  imageKinds: Readonly<Record<string, ImageKind>>;
  /** The next `times` log streams are cut after so many lines. */
  logCut: { readonly afterEvents: number; readonly times: number };
  logKeepaliveMs: number;
  logIds: LogIds;
  /** While on, an open log stream hands out so many new lines and then only keepalives; a new stream has them all. */
  logStall: { readonly on: boolean; readonly afterEvents: number };
  /** Pods whose row in the list is none that the contract allows. */
  unreadableRows: readonly string[];
  /** Rows a page of a list holds at most, whatever the client asks (`2026-10`); 0 for no cap. */
  pageCap: number;
  /** Whether changing only `ports` of a running pod restarts it. Accounts differ; the gentler was seen live. */
  portsPatchRestarts: boolean;
  /** A restart in place leaves no word in the system log, and `startedAt` and `status` as they were; only the uptime tells. */
  silentRestarts: boolean;
}

export const defaultSettings: Settings = {
  contract: '2026-08',
  quotas: { minute: 600, hour: 20_000, day: 200_000 },
  timings: { provisioningMs: 1500, pullMs: 3500, startMs: 2000, directDelayMs: 800, oldPortMs: 1500, sshDelayMs: 1500, stopMs: 500 },
  latencyMs: 0,
  userAgents: 'missing',
  shortages: [],
  drivers: 'new',
  runningFrom: 'container',
  startGpu: 'ok',
  ignoredActions: [],
  podKeyMayStop: true,
  graphql: 'on',
  spot: 'refuse',
  spotShare: 0.5,
  hiddenAfterCreateMs: 0,
  unlistedAfterCreateMs: 0,
  proxyOnly: false,
  link: {},
  oldPortAnswersForStranger: false,
  chatterLines: 0,
  volumeQuotaBytes: 0,
  imageKinds: {},
  logCut: { afterEvents: 0, times: 0 },
  logKeepaliveMs: 15_000,
  logIds: 'time',
  logStall: { on: false, afterEvents: 0 },
  unreadableRows: [],
  pageCap: 0,
  portsPatchRestarts: false,
  silentRestarts: false,
};

/** What a caller may hand in: any part of the settings, and any part of `timings` and `quotas`. */
export type SettingsPatch = Partial<Omit<Settings, 'timings' | 'quotas'>> & {
  readonly timings?: Partial<Timings>;
  readonly quotas?: Partial<Quotas>;
};

/** Applies a patch in place. @throws RangeError for a name that is no setting or a value of another type. */
export function applySettings(settings: Settings, patch: SettingsPatch): void {
  for (const [name, value] of Object.entries(patch)) {
    const old: unknown = name in settings ? Reflect.get(settings, name) : undefined;
    if (old === undefined) throw new RangeError(`no such setting: ${name}`);
    if (typeof old !== typeof value || Array.isArray(old) !== Array.isArray(value)) throw new RangeError(`setting ${name}: wrong type`);
    Reflect.set(settings, name, name === 'timings' || name === 'quotas' ? { ...(old as object), ...(value as object) } : value);
  }
}
