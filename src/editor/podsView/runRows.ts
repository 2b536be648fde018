import { l10n, ThemeColor, ThemeIcon, TreeItem } from 'vscode';
import { capped } from '../../base/log';
import type { RunRecord } from '../../runs/detached/list';
import type { CommandId } from '../ids';
import type { FirstLook } from '../podRuns/book';
import { describeRun } from '../podRuns/describe';
import { localTime } from '../words';
import type { PodsNode } from './nodes';

/** Ended runs below a pod; the rest is in the list of all runs. */
const SHOWN_ENDED = 5;

type RunNode = Extract<PodsNode, { kind: 'run' | 'runs' }>;

/** The rows of a pod's runs: those that run, the last that have ended, and where all of them are. */
export function runNodes(podId: string, runs: readonly RunRecord[], first?: FirstLook): RunNode[] {
  if (first !== undefined) return [{ kind: 'runs', podId }];
  const running = runs.filter(({ state }) => state === 'running');
  const ended = runs.filter(({ state }) => state !== 'running');
  const shown = [...running, ...ended.slice(0, SHOWN_ENDED)].map(({ id }): RunNode => ({ kind: 'run', podId, runId: id }));
  return ended.length > SHOWN_ENDED ? [...shown, { kind: 'runs', podId }] : shown;
}

/** `train.py   running 14 min · ~$0.16`; `train.py   exit code 0 · 14 min · ~$0.16 · 2h ago`. */
export function runRow(node: RunNode, run: RunRecord | undefined, now: number, first?: FirstLook): TreeItem {
  if (node.kind === 'runs') return runsRow(node, first);
  if (run === undefined) return new TreeItem('');
  const item = new TreeItem(run.meta.title);
  item.description = describeRun(run, now);
  item.iconPath = new ThemeIcon(...iconOf(run));
  item.contextValue = run.state === 'running' ? 'run running ' : 'run ended ';
  item.tooltip = [capped(run.meta.command, 2000), run.meta.cwd, l10n.t('Started {0}', localTime(run.startedAt)), run.endedAt === undefined ? undefined : l10n.t('Ended {0}', localTime(run.endedAt)), run.id].filter(Boolean).join('\n');
  item.command = { title: l10n.t('Show Run'), command: 'runpod.attachRun' satisfies CommandId, arguments: [node] };
  item.accessibilityInformation = { label: `${run.meta.title}, ${item.description}` };
  return item;
}

/** All runs; or why none can be shown yet. */
function runsRow(node: RunNode, first: FirstLook | undefined): TreeItem {
  const label = first === undefined ? l10n.t('All Runs…') : l10n.t('Runs');
  const description = first === 'looking' ? l10n.t('connecting…') : first === 'unseen' ? l10n.t('connect to see them') : '';
  const item = new TreeItem(label);
  item.description = description;
  item.iconPath = new ThemeIcon(first === 'looking' ? 'loading~spin' : 'history');
  item.contextValue = 'runs ';
  item.accessibilityInformation = { label: description === '' ? label : `${label}, ${description}` };
  if (first !== 'looking') item.command = { title: label, command: 'runpod.listRuns' satisfies CommandId, arguments: [node] };
  return item;
}

const iconOf = (run: RunRecord): [string, ThemeColor?] =>
  run.state === 'running' ? ['play', new ThemeColor('testing.iconPassed')] : run.state === 'lost' ? ['question', new ThemeColor('testing.iconQueued')] : run.exitCode === 0 ? ['pass'] : ['error', new ThemeColor('testing.iconFailed')];
