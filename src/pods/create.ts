import { randomUUID } from 'node:crypto';
import { CancelledError, isCancelled } from '../base/errors';
import { sleep } from '../base/time';
import { RunPodError } from '../runpod/errors';
import type { CreatePodRequest, Pod, PodRow } from '../runpod/types';
import { CREATE_MARK } from './createMark';
import { withCudaFloor } from './cuda';
import { podMarked, type PendingCreate } from './pendingCreates';

export { CREATE_MARK };

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
  /** The image of that template, where it says nothing of CUDA versions itself. */
  readonly templateImage?: string;
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

/** Cancelled while the request was on its way: the pod that came of it is handed over to be ended. */
export class CreateCancelledError extends CancelledError {
  constructor(readonly pod: Pod) {
    super();
  }
}

/** None of several requests was placed: no machine is free for any, or each may not be asked for. */
export class NothingPlacedError extends Error {
  override readonly name = 'NothingPlacedError';
  constructor(
    /** One for each request, in their order. */
    readonly refusals: readonly RunPodError[],
  ) {
    super(`None of ${refusals.length} candidates was placed: ${refusals.at(-1)?.message ?? 'nothing was asked for'}`, { cause: refusals.at(-1) });
  }
}

/** Whether nothing was placed because no machine is free: waiting is a cure. */
export const isFullyBooked = (error: unknown): boolean => error instanceof NothingPlacedError && error.refusals.some((r) => r.code === 'no-capacity');

/** A name no listed pod has: `llama-ft`, else `llama-ft-2`, `llama-ft-3`, … */
export function uniqueName(wanted: string, rows: readonly PodRow[]): string {
  const taken = new Set(rows.map((r) => (r.kind === 'pod' ? r.pod.name : r.row.name)));
  if (!taken.has(wanted)) return wanted;
  for (let n = 2; ; n++) if (!taken.has(`${wanted}-${n}`)) return `${wanted}-${n}`;
}

/**
 * What every create of ours carries whatever was asked: a GPU count (without one no machine matches), the CUDA version of
 * its image, `22/tcp` and `startSsh` (without them there is no SSH), and our public key beside the account's in
 * `env.PUBLIC_KEY` (`startSsh` leaves that variable alone when it is set).
 */
export function withSshAccess(request: CreatePodRequest, access: SshAccess): CreatePodRequest {
  const ports = request.ports ?? access.templatePorts ?? [];
  const own = request.env?.['PUBLIC_KEY']?.split('\n') ?? [];
  const keys = [...new Set([access.ownKey, ...access.accountKeys, ...own].map((k) => k.replaceAll('\r', '').trim()).filter((k) => k !== '' && k !== 'null'))];
  const { gpu, ...rest } = withCudaFloor(request, request.image ?? access.templateImage);
  return {
    ...rest,
    ...(gpu ? { gpu: { ...gpu, count: Math.max(1, gpu.count || 1) } } : {}),
    ports: ports.includes('22/tcp') ? [...ports] : [...ports, '22/tcp'],
    startSsh: true,
    env: { ...request.env, PUBLIC_KEY: keys.join('\n') },
  };
}

/** Where creates are written down before they are sent (`PendingCreates`). */
export interface CreateJournal {
  note(create: Omit<PendingCreate, 'at'>): Promise<void>;
  settle(mark: string): Promise<void>;
  letGo(mark: string): void;
}

export interface CreateOptions {
  readonly signal?: AbortSignal;
  /** How often and at what distance (ms) to look for a pod whose create was not answered. */
  readonly looks?: { readonly count: number; readonly everyMs: number };
  /** Called when the answer was lost and we go looking. */
  readonly onUncertain?: () => void;
  /** Called before each request is sent, with its place among them. */
  readonly onTry?: (index: number) => void;
  readonly journal?: CreateJournal;
  /** The API's origin, for the journal. */
  readonly origin?: string;
}

/**
 * Creates one pod, exactly one: the request is sent once; when its answer is lost (no reply, 5xx, cut) the pod is
 * looked for by its mark, and only its absence is reported.
 * @throws RunPodError when RunPod refused; CreateUncertainError when nobody can say; CreateCancelledError with a pod that was made all the same
 */
export async function createPod(api: CreateApi, request: CreatePodRequest, options: CreateOptions = {}): Promise<Pod> {
  try {
    return (await createFirst(api, [request], options)).pod;
  } catch (error) {
    const only = error instanceof NothingPlacedError ? error.refusals[0] : undefined;
    throw only ?? error;
  }
}

/**
 * Creates one pod, exactly one, from the first of several requests that is placed. Only a clean refusal (no capacity, not
 * allowed, a rule) leads on to the next; a lost answer never does. All share one name and one mark.
 * @throws NothingPlacedError when every one was refused; else as `createPod`
 */
export async function createFirst(api: CreateApi, requests: readonly CreatePodRequest[], options: CreateOptions = {}): Promise<{ readonly pod: Pod; readonly index: number }> {
  const { signal, journal } = options;
  const mark = randomUUID();
  const name = uniqueName(requests[0]?.name ?? 'pod', await api.list());
  const refusals: RunPodError[] = [];
  if (signal?.aborted) throw new CancelledError();
  await journal?.note({ mark, name, origin: options.origin ?? '' });
  // Until its end is certain, the create stays written down.
  let certain = true;
  try {
    for (const [index, request] of requests.entries()) {
      if (signal?.aborted) throw new CancelledError();
      options.onTry?.(index);
      certain = false;
      const answer = await send(api, { ...request, name, env: { ...request.env, [CREATE_MARK]: mark } }, mark, options);
      certain = true;
      if (answer instanceof RunPodError) {
        refusals.push(answer);
        continue;
      }
      if (signal?.aborted) throw new CreateCancelledError(answer);
      return { pod: answer, index };
    }
    throw new NothingPlacedError(refusals);
  } catch (error) {
    // A refusal that ends the whole attempt (no credit, a bad key) is certain as well.
    if (error instanceof RunPodError && !error.maybeDone) certain = true;
    throw error;
  } finally {
    if (certain) await journal?.settle(mark);
    else journal?.letGo(mark);
  }
}

/** Refusals after which another candidate may fare better. */
const LEADS_ON: ReadonlySet<RunPodError['code']> = new Set(['no-capacity', 'forbidden', 'rejected', 'conflict']);

/** @returns the pod, or the clean refusal after which the next may be tried */
async function send(api: CreateApi, request: CreatePodRequest, mark: string, options: CreateOptions): Promise<Pod | RunPodError> {
  try {
    return await api.create(request);
  } catch (error) {
    if (!(error instanceof RunPodError)) throw error;
    if (!error.maybeDone) {
      if (LEADS_ON.has(error.code)) return error;
      throw error;
    }
    options.onUncertain?.();
    const { count, everyMs } = options.looks ?? { count: 8, everyMs: 4000 };
    for (let look = 0; look < count; look++) {
      // A pod just made can be missing from the list for a moment; looking goes on even if the person has cancelled,
      // for what was made must be ended, not forgotten.
      await sleep(everyMs);
      const found = await findMarked(api, mark);
      if (found) return found;
    }
    throw new CreateUncertainError(request.name, error);
  }
}

async function findMarked(api: CreateApi, mark: string): Promise<Pod | undefined> {
  const rows = await api.list().catch((error: unknown) => {
    if (isCancelled(error)) throw error;
    return [];
  });
  return podMarked(rows, mark);
}
