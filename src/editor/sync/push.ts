import { l10n, type Uri } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { PodFiles } from '../../files/pod/podFiles';
import type { PodSession } from '../../pods/session';
import type { Pod } from '../../runpod/types';
import { extraThere, settle, asideName, type ConflictChoice } from '../../sync/decide';
import type { SyncHost } from '../../sync/host';
import { sendBySftp } from '../../sync/bySftp';
import { LARGE, sendLarge } from '../../sync/large';
import type { Ledger } from '../../sync/ledger';
import type { LocalTree } from '../../sync/localTree';
import { bytesOf, compare, planUpload, type CompareOptions, type Comparison, type PlannedFile, type UploadPlan } from '../../sync/plan';
import { upload } from '../../sync/upload';
import { UploadError } from '../../sync/uploadError';
import type { Guards } from '../guard/guards';
import { withPatience, type Step } from '../progress';
import type { Ledgers } from './ledgers';
import { dataSize } from '../words';
import { explainSync, listed } from './words';
import { STAGING_NAME } from '../../sync/ignore';
import { askConflicts } from './conflicts';
import { isBelow, onPod } from './mappings';
import { notice } from '../prompts/notice';

/** From here on a person is asked before anything is sent. */
const ASK = { files: 5_000, bytes: 200 * 1024 * 1024 } as const;

/** A local folder and its place on a pod. */
export interface Pair {
  /** Told that the pod is used, so that an idle limit does not end it meanwhile. */
  readonly guards: Pick<Guards, 'whileUsed'>;
  readonly pod: Pod;
  readonly session: PodSession;
  readonly files: PodFiles;
  readonly folder: Uri;
  readonly tree: LocalTree;
  /** Absolute, or below the pod's mount path. */
  readonly destination: string;
  /** Only these files and folders, relative to the folder. */
  readonly paths?: readonly string[] | undefined;
}

export interface PushOptions extends Pair {
  /** What the caller has decided already, so that nobody is asked. */
  readonly conflicts?: ConflictChoice | undefined;
  readonly confirmed?: boolean | undefined;
  /** Takes from the pod what is not here. */
  readonly mirror?: boolean;
  readonly dryRun?: boolean;
  /** See `CompareOptions`. */
  readonly strict?: boolean;
}

export interface Pushed {
  /** Absolute path of the folder on the pod. */
  readonly target: string;
  /** The pod's mount path. */
  readonly mount: string;
  readonly plan: UploadPlan;
  readonly files: number;
  readonly bytes: number;
  /** Taken to the recycle folder, or with `dryRun` what would be. */
  readonly removed: readonly string[];
  /** Where that is. */
  readonly recycle: string | undefined;
  /** Conflicts that stay as they are on the pod. */
  readonly kept: readonly string[];
  readonly failed: readonly { readonly path: string; readonly detail: string }[];
  /** Changed on the pod while they were sent, so left as they are there. */
  readonly changedThere: readonly string[];
}

/** Sends what changed in a local folder to its place on a pod, with progress and questions. */
export async function pushFolder(ledgers: Ledgers, options: PushOptions, outer?: AbortSignal): Promise<Pushed> {
  const { pod, session, folder, destination } = options;
  return withPatience(
    l10n.t('Sending {0} to {1}', destination, pod.name),
    async (report, signal) => {
      try {
        report({ message: l10n.t('connecting…') });
        const link = await session.link(signal);
        const mount = await mountPath(session, signal);
        const target = onPod(mount, destination);
        return await options.guards.whileUsed(pod.id, () => ledgers.use(folder, target, (ledger) => send(link, { mount, target, ledger }, options, report, signal)));
      } catch (error) {
        if (signal.aborted) throw new CancelledError();
        throw error instanceof UploadError ? new Error(explainSync(error, pod.name, 'push'), { cause: error }) : error;
      }
    },
    outer,
  );
}

/** Where a pod keeps what lasts; the login's home on a pod without a volume. */
export async function mountPath(session: PodSession, signal: AbortSignal): Promise<string> {
  const path = session.pod?.mount?.path ?? (await session.run('printf %s "$HOME"', { signal })).stdout.toString();
  return path.replace(/\/+$/, '');
}

interface Place {
  readonly mount: string;
  readonly target: string;
  readonly ledger: Ledger;
}

async function send(link: SyncHost, { mount, target, ledger }: Place, options: PushOptions, report: (step: Step) => void, signal: AbortSignal): Promise<Pushed> {
  const { pod, tree, folder, paths, strict, mirror = false } = options;
  report({ message: l10n.t('comparing…') });
  const { plan, bySftp } = await look(link, tree, target, ledger, mirror, { paths, strict, signal, sftp: options.files });
  const stamp = new Date().toISOString().replace('T', ' ').slice(0, 19).replaceAll(':', '.');
  const removed = mirror && 'onlyThere' in plan ? extraThere(plan) : [];
  // On the target's own file system, so that files are put in place by renames.
  const ours = `${mount}/.runpod-workspaces/${pod.id}`;
  const recycle = removed.length === 0 ? undefined : `${ours}/recycled/${stamp}`;
  if (options.dryRun === true) return { target, mount, plan, files: plan.send.length, bytes: bytesOf(plan.send), removed, recycle, kept: plan.conflicts.map(({ path }) => path), failed: [], changedThere: [] };

  const choice = await settleConflicts(plan, options);
  const { overwrite, aside } = settle(plan, choice, (path) => asideName(path, `${pod.name} ${stamp}`));
  const files = [...plan.send, ...overwrite, ...aside.keys()];
  const total = bytesOf(files);
  if (options.confirmed !== true) {
    if (removed.length > 0) await askMirror(removed, files.length, recycle ?? '', pod.name);
    if (files.length > ASK.files || total > ASK.bytes) await askSize(files, total, pod.name);
  }
  const progress = teller(report, files.length, total);
  const moving = { signal, onProgress: progress };
  const facts = { target, mount, plan, removed, recycle, kept: plan.conflicts.filter((file) => !overwrite.has(file) && !aside.has(file)).map(({ path }) => path) };
  const away = recycle === undefined ? undefined : { paths: removed, to: recycle };
  // What moves in pieces is read from this computer's disk by its path.
  const root = folder.scheme === 'file' ? folder.fsPath : undefined;
  if (bySftp) return { ...facts, ...(await sendBySftp(options.files, tree, root, plan, ledger, { overwrite, aside, recycle: away, ...moving })) };
  const inPieces = (file: PlannedFile): boolean => root !== undefined && !aside.has(file) && file.local.size >= LARGE;
  const small = await upload(link, tree, { ...plan, send: plan.send.filter((file) => !inPieces(file)) }, ledger, {
    staging: isBelow(target, mount) ? `${ours}/staging` : `${target.slice(0, target.lastIndexOf('/'))}/${STAGING_NAME}`,
    overwrite: new Set([...overwrite].filter((file) => !inPieces(file))),
    aside,
    recycle: away,
    ...moving,
  });
  const large = await sendLarge(options.files, target, files.filter(inPieces), root ?? '', ledger, {
    signal,
    onProgress: ({ files: count, bytes }) => progress({ files: small.files + count, bytes: small.bytes + bytes }),
  });
  return { ...facts, files: small.files + large.files, bytes: small.bytes + large.bytes, failed: large.failed, changedThere: large.changedThere };
}

/** The shell's way first; SFTP where the pod lacks what that takes. */
async function look(link: SyncHost, tree: LocalTree, target: string, ledger: Ledger, whole: boolean, options: CompareOptions): Promise<{ plan: UploadPlan | Comparison; bySftp: boolean }> {
  try {
    const { sftp: _, ...shell } = options;
    return { plan: await (whole ? compare : planUpload)(link, tree, target, ledger, shell), bySftp: false };
  } catch (error) {
    if (!(error instanceof UploadError) || error.code !== 'missing-tool') throw error;
    return { plan: await compare(link, tree, target, ledger, options), bySftp: true };
  }
}

/** Every per cent is enough to look at. */
export function teller(report: (step: Step) => void, files: number, total: number): (done: { files: number; bytes: number }) => void {
  let told = 0;
  return ({ files: count, bytes }) => {
    const percent = total === 0 ? 100 : Math.min(100, (bytes / total) * 100);
    if (percent - told < 1 && count < files) return;
    told = percent;
    report({ message: l10n.t('{0} of {1} files, {2} of {3}', count, files, dataSize(bytes), dataSize(total)), percent });
  };
}

async function settleConflicts(plan: UploadPlan, { conflicts, pod, destination }: PushOptions): Promise<ConflictChoice> {
  if (plan.conflicts.length === 0) return 'keep';
  return (
    conflicts ??
    askConflicts(
      l10n.t('Files in {0} were changed on {1} since they were sent, or come from elsewhere: {2}. Send yours over them?', destination, pod.name, listed(plan.conflicts.map(({ path }) => path))),
      { overwrite: l10n.t('Overwrite on Pod'), keep: l10n.t('Keep the Pod’s') },
    )
  );
}

async function askMirror(removed: readonly string[], sent: number, recycle: string, podName: string): Promise<void> {
  const mirror = l10n.t('Mirror');
  await notice.confirm(
    l10n.t('Make {0} like this folder? Files sent: {1}. Files that are not here and go to {2}: {3}.', podName, sent, recycle, removed.length),
    listed(removed),
    mirror,
  );
}

async function askSize(files: readonly PlannedFile[], bytes: number, podName: string): Promise<void> {
  const go = l10n.t('Send Files');
  const largest = [...files].sort((a, b) => b.local.size - a.local.size).slice(0, 3).map(({ path, local }) => `${path} (${dataSize(local.size)})`);
  const answer = await notice.warn(
    l10n.t('Send files to {0}: {1}, {2}? The largest: {3}. A .runpodignore file leaves out what it names.', podName, files.length, dataSize(bytes), largest.join(', ')),
    go,
  );
  if (answer !== go) throw new CancelledError();
}

/** What a person should know of a push, line by line. */
export function remarksOn({ plan, files, bytes, kept, removed, recycle, failed, changedThere }: Pushed): string[] {
  return [
    files === 0 ? l10n.t('{0} is up to date.', plan.target) : l10n.t('Sent to {0}: files: {1}, {2}; unchanged: {3}.', plan.target, files, dataSize(bytes), plan.unchanged),
    ...(removed.length > 0 ? [l10n.t('Moved to {0}: {1}.', recycle ?? '', listed(removed))] : []),
    ...(plan.secrets.length > 0 ? [l10n.t('Held back, for they look like secrets: {0}. A line “!{1}” in .runpodignore sends one all the same.', listed(plan.secrets), plan.secrets[0] ?? '')] : []),
    ...(kept.length > 0 ? [l10n.t('Left as they are on the pod: {0}.', listed(kept))] : []),
    ...(changedThere.length > 0 ? [l10n.t('Changed on the pod meanwhile, so left as they are there: {0}.', listed(changedThere))] : []),
    ...(plan.newer.length > 0 ? [l10n.t('Changed on the pod and not here: {0}. Pull from Pod brings them.', listed(plan.newer.map(({ path }) => path)))] : []),
    ...(plan.blocked.length > 0 ? [l10n.t('Not sent, for the pod has folders of these names: {0}.', listed(plan.blocked))] : []),
    ...(plan.odd.length > 0 ? [l10n.t('Not sent, for they lead out of the folder or are no files: {0}.', listed(plan.odd))] : []),
    ...failed.map(({ path, detail }) => l10n.t('Could not be sent: {0}: {1}', path, detail)),
  ];
}
