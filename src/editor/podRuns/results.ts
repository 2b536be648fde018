import { hostname } from 'node:os';
import { commands, l10n, Uri } from 'vscode';
import type { Logger } from '../../base/log';
import { matchingPaths } from '../../runs/results';
import type { PodSessions } from '../../pods/session';
import type { RunRecord } from '../../runs/detached/list';
import { settings } from '../settings';

interface Pulled {
  readonly files: number;
  readonly conflicts: readonly string[];
  readonly failed: readonly string[];
}

/**
 * Brings the results of a run to the folder that it was sent from, where that is on this machine: what the setting
 * `runpod.run.results` names, and a notebook that was executed. What was changed on both sides is kept on both.
 */
export async function pullResults({ sessions, log }: { readonly sessions: PodSessions; readonly log: Logger }, run: RunRecord): Promise<void> {
  const { source, cwd, title } = run.meta;
  if (source === undefined || cwd === undefined || source.machine !== hostname()) return;
  const folder = Uri.parse(source.uri, true);
  if (folder.scheme !== 'file') return;
  const patterns = [...settings.results(folder), ...(title.endsWith('.ipynb') ? [title] : [])];
  if (patterns.length === 0) return;
  const paths = await matchingPaths(sessions.get(run.podId), cwd, patterns);
  if (paths.length === 0) return;
  const pulled = await commands.executeCommand<Pulled | undefined>('runpod.pull', folder.toString(), { pod: run.podId, destination: cwd, paths, conflicts: 'both', confirmed: true });
  if (pulled === undefined || pulled.failed.length > 0) throw new Error(l10n.t('some files could not be written: {0}', pulled?.failed.join(', ') ?? paths.join(', ')));
  log.info(`Results of run ${run.id}: ${pulled.files} files of ${paths.join(', ')}`);
}
