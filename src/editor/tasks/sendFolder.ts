import { l10n, window, type Uri } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { Pod } from '../../runpod/types';
import type { PodSession } from '../../pods/session';
import type { LocalTree } from '../../sync/localTree';
import { bytesOf, planUpload, type PlannedFile, type UploadPlan } from '../../sync/plan';
import { upload } from '../../sync/upload';
import { UploadError } from '../../sync/uploadError';
import type { Ledgers } from './ledgers';
import { withPatience } from './progress';

/** From here on a person is asked before anything is sent. */
const ASK = { files: 5_000, bytes: 200 * 1024 * 1024 } as const;
const NAMED = 8;

export interface SendOptions {
  readonly pod: Pod;
  readonly session: PodSession;
  readonly folder: Uri;
  readonly tree: LocalTree;
  /** Below the pod's mount path. */
  readonly name: string;
  /** What the caller has decided already, so that nobody is asked. */
  readonly conflicts?: 'overwrite' | 'keep' | undefined;
  readonly confirmed?: boolean | undefined;
}

export interface Sent {
  /** Absolute path of the folder on the pod. */
  readonly target: string;
  /** What a person should know, for the run's terminal. */
  readonly remarks: readonly string[];
}

/** Sends what changed in a local folder to its place on a pod, with progress and questions. */
export async function sendFolder(ledgers: Ledgers, options: SendOptions, outer?: AbortSignal): Promise<Sent> {
  const { pod, session, folder, tree, name } = options;
  return withPatience(
    l10n.t('Sending {0} to {1}', name, pod.name),
    async (report, signal) => {
      try {
        report({ message: l10n.t('connecting…') });
        const link = await session.link(signal);
        const mount = await mountPath(session, signal);
        const target = `${mount}/${name}`;
        const ledger = await ledgers.load(folder, target);
        report({ message: l10n.t('comparing…') });
        const plan = await planUpload(link, tree, target, ledger, { signal });
        const overwrite = new Set((await settleConflicts(plan, options)) === 'overwrite' ? plan.conflicts : []);
        const files = [...plan.send, ...overwrite];
        const total = bytesOf(files);
        if (options.confirmed !== true && (files.length > ASK.files || total > ASK.bytes)) await askSize(files, total, pod.name);
        let told = 0;
        const done = await upload(link, tree, plan, ledger, {
          staging: `${mount}/.runpod-workspaces/${pod.id}/staging`,
          overwrite,
          signal,
          onProgress: ({ files: count, bytes }) => {
            const percent = total === 0 ? 100 : Math.min(100, (bytes / total) * 100);
            // Every per cent is enough to look at.
            if (percent - told < 1 && count < files.length) return;
            told = percent;
            report({ message: l10n.t('{0} of {1} files, {2} of {3}', count, files.length, size(bytes), size(total)), percent });
          },
        });
        await ledgers.save(folder, target, ledger);
        return { target, remarks: remarksOn(plan, overwrite, done.files, done.bytes) };
      } catch (error) {
        if (signal.aborted) throw new CancelledError();
        throw error instanceof UploadError ? new Error(explainUpload(error, pod.name), { cause: error }) : error;
      }
    },
    outer,
  );
}

/** Where a pod keeps what lasts; the login's home on a pod without a volume. */
async function mountPath(session: PodSession, signal: AbortSignal): Promise<string> {
  const path = session.pod?.mount?.path ?? (await session.run('printf %s "$HOME"', { signal })).stdout.toString();
  return path.replace(/\/+$/, '');
}

async function settleConflicts(plan: UploadPlan, { conflicts, pod, name }: SendOptions): Promise<'overwrite' | 'keep'> {
  if (plan.conflicts.length === 0) return 'keep';
  if (conflicts !== undefined) return conflicts;
  const overwrite = l10n.t('Overwrite on Pod');
  const keep = l10n.t('Keep the Pod’s');
  const answer = await window.showWarningMessage(
    l10n.t('Files in {0} were changed on {1} since they were sent, or come from elsewhere: {2}. Send yours over them?', name, pod.name, listed(plan.conflicts.map(({ path }) => path))),
    overwrite,
    keep,
  );
  if (answer === undefined) throw new CancelledError();
  return answer === overwrite ? 'overwrite' : 'keep';
}

async function askSize(files: readonly PlannedFile[], bytes: number, podName: string): Promise<void> {
  const send = l10n.t('Send Files');
  const largest = [...files].sort((a, b) => b.local.size - a.local.size).slice(0, 3).map(({ path, local }) => `${path} (${size(local.size)})`);
  const answer = await window.showWarningMessage(
    l10n.t('Send files to {0}: {1}, {2}? The largest: {3}. A .runpodignore file leaves out what it names.', podName, files.length, size(bytes), largest.join(', ')),
    send,
  );
  if (answer !== send) throw new CancelledError();
}

function remarksOn(plan: UploadPlan, overwrite: ReadonlySet<PlannedFile>, files: number, bytes: number): string[] {
  const kept = plan.conflicts.filter((file) => !overwrite.has(file)).map(({ path }) => path);
  return [
    files === 0 ? l10n.t('{0} is up to date.', plan.target) : l10n.t('Sent to {0}: files: {1}, {2}; unchanged: {3}.', plan.target, files, size(bytes), plan.unchanged),
    ...(plan.secrets.length > 0 ? [l10n.t('Held back, for they look like secrets: {0}. A line “!{1}” in .runpodignore sends one all the same.', listed(plan.secrets), plan.secrets[0] ?? '')] : []),
    ...(kept.length > 0 ? [l10n.t('Left as they are on the pod: {0}.', listed(kept))] : []),
    ...(plan.blocked.length > 0 ? [l10n.t('Not sent, for the pod has folders of these names: {0}.', listed(plan.blocked))] : []),
    ...(plan.odd.length > 0 ? [l10n.t('Not sent, for they lead out of the folder or are no files: {0}.', listed(plan.odd))] : []),
  ];
}

/** Words for an upload that failed. */
function explainUpload({ code, paths, detail }: UploadError, pod: string): string {
  switch (code) {
    case 'missing-tool':
      return l10n.t('{0} lacks the program “{1}”, which receiving files needs. Install it there, or use another image.', pod, detail);
    case 'blocked':
      return l10n.t('{0} has a file where the folder {1} should be. Move or rename it, then run again.', pod, paths[0] ?? '');
    case 'changed':
      return l10n.t('{0} changed while it was being sent. Nothing was changed on {1}; run again.', paths[0] ?? '', pod);
    case 'lost':
      return l10n.t('The connection to {0} was lost while sending. Nothing was changed there; run again.', pod);
    case 'half-placed':
      return l10n.t('{0} could not put every file in place: {1}. Those in place are whole; run again for the rest.', pod, detail || l10n.t('the connection was lost'));
    case 'failed':
      return l10n.t('{0} refused the files: {1}. Nothing was changed there.', pod, detail || l10n.t('no reason given'));
  }
}

const listed = (paths: readonly string[]): string =>
  paths.length <= NAMED ? paths.join(', ') : l10n.t('{0} and {1} more', paths.slice(0, NAMED).join(', '), paths.length - NAMED);

function size(bytes: number): string {
  if (bytes < 1000) return l10n.t('{0} bytes', bytes);
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${units[unit] ?? ''}`;
}
