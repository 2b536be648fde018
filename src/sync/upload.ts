import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { CancelledError } from '../base/errors';
import { quote } from '../base/shell';
import { PipeGone, sendArchive } from './archive';
import type { SyncHost } from './host';
import type { Ledger } from './ledger';
import type { LocalTree } from './localTree';
import { CHANGED_THERE, placement } from './placement';
import type { PlannedFile, UploadPlan } from './plan';
import { receive } from './receive';
import { UploadError } from './uploadError';

export interface UploadProgress {
  readonly files: number;
  readonly bytes: number;
}

export interface UploadOptions {
  /** A folder on the same file system as the target, for ours alone (`<mount>/.runpod-workspaces/<podId>/staging`). */
  readonly staging: string;
  /** Of the plan's conflicts, those whose version on the pod may be replaced. */
  readonly overwrite?: ReadonlySet<PlannedFile>;
  /** Files of the pod that are renamed first, so that both versions are kept. Their conflicts count as overwritten. */
  readonly aside?: ReadonlyMap<PlannedFile, string>;
  /** Files of the pod that are moved to `to`, a folder on the same file system, each under its own path. */
  readonly recycle?: { readonly paths: readonly string[]; readonly to: string } | undefined;
  readonly onProgress?: (done: UploadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Less than this is not worth compressing. */
const WORTH_COMPRESSING = 1 << 18;

/**
 * Sends what a plan says: one stream of tar into a staging folder, then renames, so that under its own name a file is
 * always either the old or the new one, whole. Nothing is deleted on the pod but what `recycle` names, and that only moves.
 * Cut or cancelled before everything has arrived, it changes nothing.
 * @throws UploadError, CancelledError
 */
export async function upload(host: SyncHost, tree: LocalTree, plan: UploadPlan, ledger: Ledger, options: UploadOptions): Promise<UploadProgress> {
  const files = [...plan.send, ...[...plan.conflicts, ...plan.newer].filter((file) => options.overwrite?.has(file) === true || options.aside?.has(file) === true)];
  const remove = options.recycle?.paths ?? [];
  const done = { files: 0, bytes: 0 };
  if (files.length + plan.links.length + plan.folders.length + plan.modes.length + remove.length === 0) return done;
  if (isAborted(options.signal)) throw new CancelledError();

  const staged = placement(plan, files, {
    links: plan.links,
    folders: plan.folders,
    modes: plan.modes,
    aside: [...(options.aside ?? [])].map(([{ path }, to]) => ({ path, to })),
    remove,
    recycle: options.recycle?.to,
  });
  const compress = plan.gzip && files.reduce((sum, { local }) => sum + local.size, 0) >= WORTH_COMPRESSING;
  const staging = `${options.staging}/${randomBytes(8).toString('hex')}`;
  const channel = await host.exec(`exec /bin/sh -c ${quote(receive(options.staging, staging, compress))}`, { signal: options.signal });
  const said = { stdout: collect(channel), stderr: collect(channel.stderr) };
  const ended = endOf(channel);
  try {
    const marks = await sendArchive(channel, tree, staged, ledger, {
      compress,
      signal: options.signal,
      onMoved: (count, bytes) => {
        done.files += count;
        done.bytes += bytes;
        options.onProgress?.({ ...done });
      },
    });
    const end = await ended;
    if (end.code !== 0 || !said.stdout().endsWith('placed\n')) throw failure(end, said);
    for (const [file, { mark, mode }] of marks) ledger.sent(file.path, mark, mode);
    for (const { path, mode } of plan.modes) ledger.agreedMode(path, mode);
    for (const path of remove) ledger.forget(path);
    return done;
  } catch (error) {
    if (isAborted(options.signal)) throw new CancelledError();
    throw error instanceof PipeGone ? failure(await ended, said) : error;
  } finally {
    channel.close();
  }
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

interface End {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** How the command ended, after all its output; neither field when the connection went first. */
const endOf = (channel: ClientChannel): Promise<End> =>
  // The exit event may have passed before anybody could listen; the close event tells the same and waits for the reader.
  new Promise((resolve) => channel.once('close', (code?: number | null, signal?: string) => resolve({ code: code ?? undefined, signal })));

const KEPT = 4_000;
function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => (text = (text + piece).slice(-KEPT)));
  stream.on('error', () => undefined);
  return () => text;
}

function failure(end: End, said: { stdout: () => string; stderr: () => string }): UploadError {
  const detail = said.stderr().trim();
  if (said.stdout().includes('arrived\n')) return new UploadError('half-placed', { detail });
  if (end.code === CHANGED_THERE) return new UploadError('changed-there', { detail });
  return new UploadError(end.code === undefined && end.signal === undefined ? 'lost' : 'failed', { detail });
}
