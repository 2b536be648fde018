import { commands, l10n, Uri, workspace } from 'vscode';
import type { Logger } from '../../base/log';
import type { PodFiles } from '../../files/pod/podFiles';
import type { PodSessions } from '../../pods/session';
import type { PodStore } from '../../pods/store';
import { matchingPaths } from '../../runs/results';
import type { RunRecord } from '../../runs/detached/list';
import { sourceFolder, type IsOurs } from '../runSource';
import { settings } from '../settings';
import type { Ledgers } from '../sync/ledgers';
import type { Pair } from '../sync/push';
import type { FolderWishes } from './wishes';
import { notice } from '../prompts/notice';

export interface ResultsParts {
  readonly guards: Pair['guards'];
  readonly sessions: PodSessions;
  readonly store: PodStore;
  readonly ledgers: Ledgers;
  readonly log: Logger;
  files(podId: string): PodFiles;
  wishes(run: RunRecord): Promise<FolderWishes>;
  readonly isOurs: IsOurs;
}

interface Pulled {
  readonly files: number;
  readonly beside: readonly string[];
  readonly changed: readonly string[];
  readonly unplaceable: readonly string[];
  readonly failed: readonly string[];
}

/**
 * Brings the results of a run to the folder that it was sent from, where that is on this machine: what its profile or the
 * setting `runpod.run.results` names, and a notebook that was executed. What was changed on both sides is kept on both.
 * @throws Error when something of them is not here then
 */
export async function pullResults(parts: ResultsParts, run: RunRecord): Promise<void> {
  const place = await placeOf(parts, run);
  if (place === undefined || place.paths.length === 0) return;
  const { folder, cwd, paths } = place;
  const pulled = await commands.executeCommand<Pulled | undefined>('runpod.pull', folder.toString(), { pod: run.podId, destination: cwd, paths, conflicts: 'both', confirmed: true });
  const missing = pulled === undefined ? paths : [...pulled.failed, ...pulled.unplaceable, ...pulled.changed];
  if (missing.length > 0) throw new Error(l10n.t('not everything is here: {0}', missing.join(', ')));
  void tellBeside(folder, run.meta.title, pulled?.beside ?? []);
  parts.log.info(`Results of run ${run.id}: ${pulled?.files ?? 0} files of ${paths.join(', ')}`);
}

/** The same of a run that goes on: quietly, and what is being written is left for the next time. @returns how many files came */
export async function pullResultsSoFar(parts: ResultsParts, run: RunRecord, signal: AbortSignal): Promise<number> {
  const place = await placeOf(parts, run, signal);
  const pod = parts.store.find(run.podId);
  if (place === undefined || pod === undefined || place.paths.length === 0) return 0;
  const { folder, cwd } = place;
  // What is being typed is not written over, nor saved to be compared.
  const typed = [...workspace.textDocuments, ...workspace.notebookDocuments].some(({ isDirty, uri }) => isDirty && uri.toString().startsWith(`${folder.toString()}/`));
  const paths = place.paths.filter((path) => path !== run.meta.title);
  if (typed || paths.length === 0) return 0;
  const [{ pullFolder }, { localTree }] = await Promise.all([import('../sync/pull'), import('../sync/localFolder')]);
  const pulled = await pullFolder(parts.ledgers, { guards: parts.guards, pod, session: parts.sessions.get(pod.id), files: parts.files(pod.id), folder, tree: localTree(folder), destination: cwd, paths, conflicts: 'keep', confirmed: true, quietly: true }, signal);
  return pulled.files;
}

/** What was changed here as well while it ran: nothing is overwritten, and both are shown. */
async function tellBeside(folder: Uri, title: string, beside: readonly string[]): Promise<void> {
  const [first] = beside;
  if (first === undefined) return;
  const open = l10n.t('Open the Pod’s');
  if ((await notice.inform(l10n.t('What was changed here while {0} ran is left as it is; the pod’s version lies beside it: {1}.', title, beside.join(', ')), open)) === open) await commands.executeCommand('vscode.open', Uri.joinPath(folder, first));
}

/** Where a run's results lie, there and here. */
async function placeOf(parts: ResultsParts, run: RunRecord, signal?: AbortSignal): Promise<{ folder: Uri; cwd: string; paths: string[] } | undefined> {
  const { cwd, title } = run.meta;
  const folder = sourceFolder(run, parts.isOurs);
  if (folder === undefined || cwd === undefined) return undefined;
  const patterns = [...((await parts.wishes(run)).results ?? settings.results(folder)), ...(title.endsWith('.ipynb') ? [title] : [])];
  return { folder, cwd, paths: patterns.length === 0 ? [] : await matchingPaths(parts.sessions.get(run.podId), cwd, patterns, signal) };
}
