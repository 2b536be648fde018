import { randomUUID } from 'node:crypto';
import { CancelledError, isCancelled } from '../base/errors';
import { sleep } from '../base/time';
import { RunPodError } from '../runpod/errors';
import type { CreatePodRequest, Pod, PodRow } from '../runpod/types';

/** The variable that marks a pod as the fruit of one particular create, so that a lost answer can be told from no pod. */
export const CREATE_MARK = 'RUNPOD_WORKSPACES_CREATE';

export interface CreateApi {
  create(request: CreatePodRequest): Promise<Pod>;
  list(): Promise<PodRow[]>;
}

export interface SshAccess {
  /** The extension's own public key line. */
  readonly ownKey: string;
  /** The account's registered key lines, so that logging in by hand keeps working. */
  readonly accountKeys: readonly string[];
  /** The ports of the template that the request names: ports in the body replace them, so they are repeated. */
  readonly templatePorts?: readonly string[];
}

/** A create whose answer was lost and whose pod was not found by looking for it. It may still appear. */
export class CreateUncertainError extends Error {
  override readonly name = 'CreateUncertainError';
  constructor(
    readonly podName: string,
    cause: unknown,
  ) {
    super(`No answer to the create of ${podName}, and no such pod was seen`, { cause });
  }
}

/** A name no listed pod has: `llama-ft`, else `llama-ft-2`, `llama-ft-3`, … */
export function uniqueName(wanted: string, rows: readonly PodRow[]): string {
  const taken = new Set(rows.map((r) => (r.kind === 'pod' ? r.pod.name : r.row.name)));
  if (!taken.has(wanted)) return wanted;
  for (let n = 2; ; n++) if (!taken.has(`${wanted}-${n}`)) return `${wanted}-${n}`;
}

/**
 * What every create of ours carries whatever was asked: a GPU count (without one no machine matches), `22/tcp`
 * and `startSsh` (without them there is no SSH), and our public key beside the account's in `env.PUBLIC_KEY`
 * (`startSsh` leaves that variable alone when it is set).
 */
export function withSshAccess(request: CreatePodRequest, access: SshAccess): CreatePodRequest {
  const ports = request.ports ?? access.templatePorts ?? [];
  const own = request.env?.['PUBLIC_KEY']?.split('\n') ?? [];
  const keys = [...new Set([access.ownKey, ...access.accountKeys, ...own].map((k) => k.replaceAll('\r', '').trim()).filter((k) => k !== '' && k !== 'null'))];
  return {
    ...request,
    ...(request.gpu ? { gpu: { ...request.gpu, count: Math.max(1, request.gpu.count || 1) } } : {}),
    ports: ports.includes('22/tcp') ? [...ports] : [...ports, '22/tcp'],
    startSsh: true,
    env: { ...request.env, PUBLIC_KEY: keys.join('\n') },
  };
}

export interface CreateOptions {
  readonly signal?: AbortSignal;
  /** How often and at what distance (ms) to look for a pod whose create was not answered. */
  readonly looks?: { readonly count: number; readonly everyMs: number };
  /** Called when the answer was lost and we go looking. */
  readonly onUncertain?: () => void;
}

/**
 * Creates one pod, exactly one: the request is sent once; when its answer is lost (no reply, 5xx, cut) the pod is
 * looked for by its unique name and its mark, and only its absence is reported.
 * @throws RunPodError when RunPod refused; CreateUncertainError when nobody can say
 */
export async function createPod(api: CreateApi, request: CreatePodRequest, options: CreateOptions = {}): Promise<Pod> {
  const mark = randomUUID();
  const name = uniqueName(request.name, await api.list());
  const marked: CreatePodRequest = { ...request, name, env: { ...request.env, [CREATE_MARK]: mark } };
  if (options.signal?.aborted) throw new CancelledError();
  try {
    return await api.create(marked);
  } catch (error) {
    if (!(error instanceof RunPodError) || !error.maybeDone) throw error;
    options.onUncertain?.();
    const { count, everyMs } = options.looks ?? { count: 8, everyMs: 4000 };
    for (let look = 0; look < count; look++) {
      // A pod just made can be missing from the list for a moment; looking goes on even if the person has cancelled,
      // for what was made must be ended, not forgotten.
      await sleep(everyMs);
      const found = await findMarked(api, name, mark);
      if (found) return found;
    }
    throw new CreateUncertainError(name, error);
  }
}

async function findMarked(api: CreateApi, name: string, mark: string): Promise<Pod | undefined> {
  const rows = await api.list().catch((error: unknown) => {
    if (isCancelled(error)) throw error;
    return [];
  });
  for (const row of rows) if (row.kind === 'pod' && row.pod.name === name && row.pod.env[CREATE_MARK] === mark) return row.pod;
  return undefined;
}
