import { l10n } from 'vscode';
import { costOf, durationOf, type RunRecord } from '../../runs/detached/list';
import { came, longTime, shortTime } from '../words';

/** How a run ended, or that it has not. */
export function stateOf(run: RunRecord): string {
  if (run.state === 'running') return l10n.t('running');
  return run.exitCode === undefined ? l10n.t('ended without a word') : l10n.t('exit code {0}', run.exitCode);
}

/** `running 14 min · ~$0.16`; `exit code 0 · 14 min · ~$0.16 · 2h ago`. */
export function describeRun(run: RunRecord, now = Date.now()): string {
  const took = longTime(durationOf(run, now));
  const paid = came(costOf(run, now));
  if (run.state === 'running') return [`${stateOf(run)} ${took}`, paid].filter(Boolean).join(' · ');
  return [stateOf(run), took, paid, run.endedAt === undefined ? undefined : l10n.t('{0} ago', shortTime(now - run.endedAt))].filter(Boolean).join(' · ');
}
