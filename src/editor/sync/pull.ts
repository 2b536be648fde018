import { statfs } from 'node:fs/promises';
import { l10n } from 'vscode';
import { CancelledError } from '../../base/errors';
import { asideName, planPull, type ConflictChoice, type PullPlan } from '../../sync/decide';
import { bringBySftp } from '../../sync/bySftp';
import { bringLarge, LARGE } from '../../sync/large';
import type { Ledger } from '../../sync/ledger';
import { namesOf } from '../../sync/localNames';
import { compare, type Comparison } from '../../sync/plan';
import { pull } from '../../sync/pull';
import { UploadError } from '../../sync/uploadError';
import type { Ledgers } from './ledgers';
import { withPatience } from '../progress';
import { dataSize } from '../words';
import { askConflicts } from './conflicts';
import { onPod } from './mappings';
import { mountPath, teller, type Pair } from './push';
import { explainSync, listed } from './words';
import { notice } from '../prompts/notice';

/** From here on a person is asked before anything is brought. */
const ASK_BYTES = 1024 * 1024 * 1024;
/** What a disk should keep free. */
const SPARE = 256 * 1024 * 1024;

export interface PullOptions extends Pair {
  readonly conflicts?: ConflictChoice | undefined;
  readonly confirmed?: boolean | undefined;
  readonly dryRun?: boolean;
  /** Without a word while it takes its time. */
  readonly quietly?: boolean;
}

export interface PulledFolder {
  readonly target: string;
  readonly mount: string;
  readonly plan: PullPlan;
  readonly files: number;
  readonly links: number;
  readonly bytes: number;
  readonly changedHere: readonly string[];
  readonly changedThere: readonly string[];
  readonly blocked: readonly string[];
  readonly failed: readonly { readonly path: string; readonly detail: string }[];
}

/** Brings what changed on a pod to a folder of this computer, with progress and questions. */
export async function pullFolder(ledgers: Ledgers, options: PullOptions, outer?: AbortSignal): Promise<PulledFolder> {
  const { guards, pod, session, folder, tree, paths, destination } = options;
  if (folder.scheme !== 'file') throw new Error(l10n.t('Only a folder of this computer can take a pod’s files: {0} is not one.', folder.toString(true)));
  return withPatience(
    options.quietly === true ? undefined : l10n.t('Bringing {0} from {1}', destination, pod.name),
    async (report, signal) => {
      try {
        report({ message: l10n.t('connecting…') });
        const link = await session.link(signal);
        const mount = await mountPath(session, signal);
        const target = onPod(mount, destination);
        const bring = async (ledger: Ledger): Promise<PulledFolder> => {
          report({ message: l10n.t('comparing…') });
          let bySftp = false;
          const found = await compare(link, tree, target, ledger, { paths, signal }).catch((error: unknown) => {
            if (!(error instanceof UploadError) || error.code !== 'missing-tool') throw error;
            bySftp = true;
            return compare(link, tree, target, ledger, { paths, signal, sftp: options.files });
          });
          const names = namesOf(process.platform);
          const decide = (conflicts: ConflictChoice): PullPlan => planPull(found, { conflicts, names, restore: paths !== undefined, nameAside: (path) => asideName(path, `${pod.name} ${stamp()}`) });
          if (options.dryRun === true) {
            const plan = decide('keep');
            return { target, mount, plan, files: plan.order.files.length, links: plan.order.links.length, bytes: plan.bytes, changedHere: [], changedThere: [], blocked: found.blocked, failed: [] };
          }
          const plan = decide(await settleConflicts(found, options));
          if (options.confirmed !== true && plan.bytes > ASK_BYTES) await askSize(plan, pod.name);
          await checkRoom(folder.fsPath, plan.bytes);
          const progress = teller(report, plan.order.files.length, plan.bytes);
          const moving = { names, signal, onProgress: progress };
          if (bySftp) {
            const brought = await bringBySftp(options.files, folder.fsPath, plan.order, ledger, moving);
            return { target, mount, plan, changedThere: [], ...brought, blocked: [...found.blocked, ...brought.blocked] };
          }
          const isLarge = ({ remote }: PullPlan['order']['files'][number]): boolean => remote.size >= LARGE;
          const small = await pull(link, folder.fsPath, { ...plan.order, files: plan.order.files.filter((file) => !isLarge(file)) }, ledger, moving);
          const large = await bringLarge(options.files, target, plan.order.files.filter(isLarge), folder.fsPath, ledger, {
            signal,
            onProgress: ({ files, bytes }) => progress({ files: small.files + files, bytes: small.bytes + bytes }),
          });
          return {
            target,
            mount,
            plan,
            files: small.files + large.files,
            links: small.links,
            bytes: small.bytes + large.bytes,
            changedHere: [...small.changedHere, ...large.changedHere],
            changedThere: small.changedThere,
            blocked: [...found.blocked, ...small.blocked, ...large.blocked],
            failed: [...small.failed, ...large.failed],
          };
        };
        return await guards.whileUsed(pod.id, () => ledgers.use(folder, target, bring));
      } catch (error) {
        if (signal.aborted) throw new CancelledError();
        throw error instanceof UploadError ? new Error(explainSync(error, pod.name, 'pull'), { cause: error }) : error;
      }
    },
    outer,
  );
}

const stamp = (): string => new Date().toISOString().replace('T', ' ').slice(0, 19).replaceAll(':', '.');

async function settleConflicts(found: Comparison, { conflicts, pod, destination }: PullOptions): Promise<ConflictChoice> {
  if (found.conflicts.length === 0) return 'keep';
  return (
    conflicts ??
    askConflicts(
      l10n.t('Files in {0} were changed here as well as on {1}: {2}. Take the pod’s over yours?', destination, pod.name, listed(found.conflicts.map(({ path }) => path))),
      { overwrite: l10n.t('Overwrite Here'), keep: l10n.t('Keep Mine') },
    )
  );
}

async function askSize(plan: PullPlan, podName: string): Promise<void> {
  const go = l10n.t('Bring Files');
  const largest = [...plan.order.files].sort((a, b) => b.remote.size - a.remote.size).slice(0, 3).map(({ path, remote }) => `${path} (${dataSize(remote.size)})`);
  const answer = await notice.warn(
    l10n.t('Bring files from {0}: {1}, {2}? The largest: {3}. A .runpodignore file leaves out what it names.', podName, plan.order.files.length, dataSize(plan.bytes), largest.join(', ')),
    go,
  );
  if (answer !== go) throw new CancelledError();
}

async function checkRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes + SPARE) throw new Error(l10n.t('This computer’s disk has no room for {0}: {1} are free.', dataSize(bytes), dataSize(bavail * bsize)));
}

/** What a person should know of a pull, line by line. */
export function remarksOnPull({ plan, files, links, bytes, changedHere, changedThere, blocked, failed, target }: PulledFolder): string[] {
  return [
    files + links === 0 ? l10n.t('There is nothing new in {0}.', target) : l10n.t('Brought from {0}: files: {1}, {2}.', target, files + links, dataSize(bytes)),
    ...(plan.kept.length > 0 ? [l10n.t('Left as they are here: {0}.', listed(plan.kept))] : []),
    ...(plan.deletedHere.length > 0 ? [l10n.t('Deleted here, so not brought back: {0}.', listed(plan.deletedHere))] : []),
    ...(plan.unplaceable.length > 0 ? [l10n.t('This computer cannot hold these names, or not both: {0}.', listed(plan.unplaceable.map(({ path, beside }) => (beside === undefined ? path : `${path} (${beside})`))))] : []),
    ...(changedHere.length > 0 ? [l10n.t('Changed here meanwhile, so left alone: {0}.', listed(changedHere))] : []),
    ...(changedThere.length > 0 ? [l10n.t('Changed on the pod while they were read; the next pull brings them: {0}.', listed(changedThere))] : []),
    ...(blocked.length > 0 ? [l10n.t('Not brought, for a folder or link is in the way, or they lead out of the folder: {0}.', listed(blocked))] : []),
    ...failed.map(({ path, detail }) => l10n.t('Could not be brought: {0}: {1}', path, detail)),
  ];
}
