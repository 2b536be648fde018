import { commands, l10n, QuickPickItemKind, ThemeIcon, Uri, type QuickPickItem } from 'vscode';
import { CancelledError } from '../../base/errors';
import { namesOf } from '../../sync/localNames';
import { asideName, planPull } from '../../sync/decide';
import { bytesOf, compare, type Comparison } from '../../sync/plan';
import { UploadError } from '../../sync/uploadError';
import { SCHEME } from '../ids';
import type { Ledgers } from './ledgers';
import { withPatience } from '../progress';
import { dataSize } from '../words';
import { onPod } from './mappings';
import { mountPath, type Pair } from './push';
import { explainSync } from './words';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

export interface Changed {
  readonly path: string;
  readonly size: number;
}

/** What push and pull would do; nothing was changed. */
export interface SyncStatus {
  readonly target: string;
  readonly push: readonly Changed[];
  readonly pull: readonly Changed[];
  /** Both sides changed. `size` is ours. */
  readonly conflicts: readonly Changed[];
  readonly deletedHere: readonly string[];
  readonly secrets: readonly string[];
  readonly blocked: readonly string[];
  /** Names that this computer cannot hold. */
  readonly unplaceable: readonly string[];
  readonly unchanged: number;
  readonly pushBytes: number;
  readonly pullBytes: number;
}

/** Compares a folder and its place on a pod. */
export async function syncStatus(ledgers: Ledgers, pair: Pair): Promise<SyncStatus> {
  const { pod, session, folder, tree, destination, paths } = pair;
  return withPatience(l10n.t('Comparing {0} with {1}', destination, pod.name), async (report, signal) => {
    try {
      report({ message: l10n.t('connecting…') });
      const link = await session.link(signal);
      const target = onPod(await mountPath(session, signal), destination);
      report({ message: l10n.t('comparing…') });
      return await ledgers.use(folder, target, async (ledger) => summary(await compare(link, tree, target, ledger, { paths, signal, sftp: pair.files })));
    } catch (error) {
      if (signal.aborted) throw new CancelledError();
      throw error instanceof UploadError ? new Error(explainSync(error, pod.name, 'pull'), { cause: error }) : error;
    }
  });
}

function summary(found: Comparison): SyncStatus {
  const pull = planPull(found, { conflicts: 'keep', names: namesOf(process.platform), restore: false, nameAside: (path) => asideName(path, 'pod') });
  return {
    target: found.target,
    push: found.send.map(({ path, local }) => ({ path, size: local.size })),
    pull: pull.order.files.map(({ path, remote }) => ({ path, size: remote.size })),
    conflicts: found.conflicts.map(({ path, local }) => ({ path, size: local.size })),
    deletedHere: pull.deletedHere,
    secrets: found.secrets,
    blocked: found.blocked,
    unplaceable: pull.unplaceable.map(({ path }) => path),
    unchanged: found.unchanged,
    pushBytes: bytesOf(found.send),
    pullBytes: pull.bytes,
  };
}

type Item = QuickPickItem & { readonly act?: () => Thenable<unknown> };

/** Shows what differs; what is chosen is done, and a file is shown beside the pod's. */
export async function showStatus(status: SyncStatus, pair: Pair, push: () => Promise<unknown>, pull: () => Promise<unknown>): Promise<void> {
  const { pod, folder } = pair;
  const here = (path: string): Uri => Uri.joinPath(folder, ...path.split('/'));
  const there = (path: string): Uri => Uri.from({ scheme: SCHEME, authority: pod.id, path: `${status.target}/${path}` });
  const diff = (path: string) => (): Thenable<unknown> => commands.executeCommand('vscode.diff', there(path), here(path), l10n.t('{0} ({1} ↔ this computer)', path.split('/').at(-1) ?? path, pod.name));
  const group = (label: string, files: readonly Changed[], icon: string, act: (path: string) => () => Thenable<unknown>): Item[] =>
    files.length === 0 ? [] : [{ label, kind: QuickPickItemKind.Separator }, ...files.map(({ path, size }): Item => ({ label: path, description: dataSize(size), iconPath: new ThemeIcon(icon), act: act(path) }))];
  const names = (label: string, paths: readonly string[], icon: string): Item[] => group(label, paths.map((path) => ({ path, size: 0 })), icon, (path) => () => commands.executeCommand('vscode.open', here(path))).map(({ description: _, ...item }) => item);
  const items: Item[] = [
    ...(status.push.length > 0 ? [{ label: l10n.t('Push: files: {0}, {1}', status.push.length, dataSize(status.pushBytes)), iconPath: new ThemeIcon('cloud-upload'), act: push }] : []),
    ...(status.pull.length > 0 ? [{ label: l10n.t('Pull: files: {0}, {1}', status.pull.length, dataSize(status.pullBytes)), iconPath: new ThemeIcon('cloud-download'), act: pull }] : []),
    ...group(l10n.t('Changed on both sides'), status.conflicts, 'warning', diff),
    ...group(l10n.t('To the pod'), status.push, 'arrow-up', (path) => () => commands.executeCommand('vscode.open', here(path))),
    ...group(l10n.t('From the pod'), status.pull, 'arrow-down', (path) => () => commands.executeCommand('vscode.open', there(path))),
    ...names(l10n.t('Deleted here, still on the pod'), status.deletedHere, 'trash'),
    ...names(l10n.t('Held back: they look like secrets'), status.secrets, 'lock'),
    ...names(l10n.t('A folder or link is in the way'), status.blocked, 'circle-slash'),
    ...names(l10n.t('Names that this computer cannot hold'), status.unplaceable, 'circle-slash'),
  ];
  if (items.length === 0) {
    void notice.inform(l10n.t('{0} and this computer are in step. Files: {1}.', `${pod.name}:${status.target}`, status.unchanged));
    return;
  }
  const picked = await ask.oneOf(items, { title: l10n.t('Sync Status: {0}', `${pod.name}:${status.target}`), placeHolder: l10n.t('Unchanged: {0}', status.unchanged), matchOnDescription: true });
  await picked?.act?.();
}
