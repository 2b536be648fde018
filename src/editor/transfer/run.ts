import { statfs } from 'node:fs/promises';
import { commands, l10n, ProgressLocation, Uri, workspace } from 'vscode';
import { CancelledError } from '../../base/errors';
import { steadyNow } from '../../base/time';
import type { TransferPlan, TransferResult } from '../../files/transfer/contract';
import type { Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import { SCHEME } from '../ids';
import { dataSize } from '../words';
import { doneText, explainTransferError, leftOutWords, progressText } from './words';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

/** Names told in a question. */
const NAMED = 6;
/** The speed is that of the last seconds. */
const WINDOW_MS = 5_000;

export interface TransferRequest {
  readonly pod: Pod;
  readonly direction: 'upload' | 'download';
  readonly sources: readonly string[];
  readonly destination: string;
  readonly conflicts: 'overwrite' | 'keep' | undefined;
  /** Code asked for it: it gets the result, and nobody is asked or told. */
  readonly silent: boolean;
}

/** Looks, asks, moves with progress, and tells. */
export async function runTransfer(parts: Parts, request: TransferRequest): Promise<TransferResult> {
  const { pod, direction, sources, destination } = request;
  const files = parts.files(pod.id);
  // While it moves, the connection comes back by itself.
  const hold = parts.sessions.get(pod.id).hold();
  const names = sources.map((source) => source.split(/[/\\]/).filter(Boolean).at(-1) ?? source).join(', ');
  const title = direction === 'upload' ? l10n.t('Uploading {0} to {1}', short(names), pod.name) : l10n.t('Downloading {0} from {1}', short(names), pod.name);
  try {
    const { result, seconds } = await withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, async (progress, token) => {
      const cancel = new AbortController();
      token.onCancellationRequested(() => cancel.abort());
      const { signal } = cancel;
      progress.report({ message: l10n.t('looking…') });
      const onFound = (entries: number): void => progress.report({ message: l10n.t('looking… {0} entries', entries) });
      const plan = await (direction === 'upload' ? files.planUpload(sources, destination, { signal, onFound }) : files.planDownload(sources, destination, { signal, onFound }));
      const conflicts = request.conflicts ?? (await settleConflicts(plan, pod, request.silent));
      if (!request.silent) await askRoom(parts, pod, plan);
      const speed = new Speed();
      let told = 0;
      let toldAt = 0;
      const started = steadyNow();
      const result = await files.transfer(plan, {
        conflicts,
        signal,
        onProgress: (p) => {
          if (p.phase !== 'waiting') parts.guards.noteUse(pod.id);
          const rate = speed.of(p.bytes);
          const percent = plan.bytes === 0 ? 0 : Math.min(100, (p.bytes / plan.bytes) * 100);
          if (steadyNow() - toldAt < 250 && p.phase === 'moving') return;
          toldAt = steadyNow();
          progress.report({ message: progressText(p, rate), increment: Math.max(0, percent - told) });
          told = Math.max(told, percent);
        },
      });
      return { result, seconds: (steadyNow() - started) / 1000 };
    });
    if (direction === 'upload') refreshExplorer(pod.id);
    log(parts, request, result);
    if (!request.silent) void tell(parts, request, result, seconds);
    return result;
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    throw new Error(explainTransferError(error, pod.name), { cause: error });
  } finally {
    hold.dispose();
  }
}

const short = (names: string): string => (names.length > 60 ? `${names.slice(0, 59)}…` : names);

async function settleConflicts(plan: TransferPlan, pod: Pod, silent: boolean): Promise<'overwrite' | 'keep'> {
  const there = plan.files.filter(({ conflict }) => conflict).map(({ to }) => to.split(/[/\\]/).at(-1) ?? to);
  if (there.length === 0 || silent) return 'keep';
  const replace = l10n.t('Replace');
  const keep = l10n.t('Keep Those There');
  const listed = there.length <= NAMED ? there.join(', ') : l10n.t('{0} and {1} more', there.slice(0, NAMED).join(', '), there.length - NAMED);
  const side = plan.direction === 'upload' ? l10n.t('{0} on {1}', plan.destination, pod.name) : plan.destination;
  const answer = await notice.ask(l10n.t('Replace files in {0}?', side), l10n.t('Other files of the same name are there: {0}.', listed), replace, keep);
  if (answer === undefined) throw new CancelledError();
  return answer === replace ? 'overwrite' : 'keep';
}

/** Asks before something is begun that cannot end well. Of a network volume `statvfs` shows the whole pool, so it says nothing. */
async function askRoom(parts: Parts, pod: Pod, plan: TransferPlan): Promise<void> {
  const network = pod.mount?.kind === 'network' && (plan.destination === pod.mount.path || plan.destination.startsWith(`${pod.mount.path}/`));
  const free = plan.direction === 'download' ? await freeHere(plan.destination) : network ? undefined : await freeOnPod(parts, pod.id, pod.mount?.path ?? '/');
  if (free === undefined || plan.bytes <= free) return;
  const anyway = l10n.t('Try Anyway');
  const where = plan.direction === 'download' ? plan.destination : pod.name;
  await notice.confirm(l10n.t('{0} has too little room', where), l10n.t('{0} are to come, and {1} are free.', dataSize(plan.bytes), dataSize(free)), anyway);
}

async function freeHere(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

async function freeOnPod(parts: Parts, podId: string, path: string): Promise<number | undefined> {
  const space = await parts.files(podId).space(path).catch(() => undefined);
  return space === undefined || space.totalBlocks === 0 ? undefined : space.freeBlocks * space.blockSize;
}

/** The Explorer asks again only when told to. */
function refreshExplorer(podId: string): void {
  const open = (workspace.workspaceFolders ?? []).some(({ uri }) => uri.scheme.startsWith(SCHEME) && uri.authority === podId);
  if (open) void commands.executeCommand('workbench.files.action.refreshFilesExplorer').then(undefined, () => undefined);
}

function log(parts: Parts, { pod, direction, destination }: TransferRequest, result: TransferResult): void {
  parts.log.info(`${direction} ${pod.name} → ${destination}: ${result.files} files, ${result.bytes} bytes, verified by ${result.verified}`);
  for (const { path, why } of result.leftOut) parts.log.warn(`  left out: ${path}: ${leftOutWords(why)}`);
  for (const { path, as } of result.renamed) parts.log.warn(`  renamed: ${path} → ${as}`);
  for (const { path, error } of result.failed) parts.log.error(`  failed: ${path}: ${error.message}`);
}

async function tell(parts: Parts, request: TransferRequest, result: TransferResult, seconds: number): Promise<void> {
  const { direction, destination, pod } = request;
  const where = direction === 'upload' ? `${pod.name}:${destination}` : destination;
  const remarks = [
    result.failed[0] === undefined ? undefined : l10n.t('Not moved: {0}, the first because: {1}', result.failed.length, explainTransferError(result.failed[0].error, pod.name)),
    result.leftOut.length > 0 ? l10n.t('Left out: {0}.', result.leftOut.length) : undefined,
    result.renamed.length > 0 ? l10n.t('Under another name, for this side cannot hold theirs: {0}.', result.renamed.length) : undefined,
  ].filter((text) => text !== undefined);
  const details = l10n.t('Show Details');
  const reveal = l10n.t('Show in Folder');
  const message = [doneText(result, seconds, where, direction), ...remarks].join(' ');
  const buttons = [...(remarks.length > 0 ? [details] : []), ...(direction === 'download' ? [reveal] : [])];
  const answer = await (result.failed.length > 0 ? notice.warn(message, ...buttons) : notice.inform(message, ...buttons));
  if (answer === details) parts.log.show();
  if (answer === reveal) await commands.executeCommand('revealFileInOS', Uri.file(destination)).then(undefined, (error: unknown) => parts.log.warn(String(error)));
}

/** Bytes a second over the last seconds. */
class Speed {
  readonly #seen: { readonly at: number; readonly bytes: number }[] = [];

  of(bytes: number): number | undefined {
    const now = performance.now();
    const last = this.#seen.at(-1);
    if (last === undefined || now - last.at > 200 || bytes < last.bytes) this.#seen.push({ at: now, bytes });
    while (this.#seen.length > 2 && now - (this.#seen[0]?.at ?? 0) > WINDOW_MS) this.#seen.shift();
    const first = this.#seen[0];
    const elapsed = first === undefined ? 0 : now - first.at;
    return first === undefined || elapsed < 500 ? undefined : Math.max(0, (bytes - first.bytes) / elapsed) * 1000;
  }
}
