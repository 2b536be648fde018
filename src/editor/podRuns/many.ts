import { commands, l10n, Uri, window, workspace, type Disposable } from 'vscode';
import { CancelledError, isCancelled, messageOf } from '../../base/errors';
import type { Pod } from '../../runpod/types';
import { costOf, durationOf, type RunRecord } from '../../runs/detached/list';
import { choices, command, Targets } from '../commands/command';
import type { Parts } from '../parts';
import type { Runs } from '../tasks/runOnRunPod';
import { came, longTime, rate } from '../words';
import { RUN_SCHEME } from './output';
import type { EndedRun } from './followed';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

/** How the same run went on one of several pods. */
export interface PodOutcome {
  readonly pod: string;
  readonly exitCode: number | undefined;
  /** Why it did not run, in words. */
  readonly error?: string;
  readonly run?: RunRecord;
  readonly lastLine?: string;
}

interface Part {
  readonly pod: Pod;
  readonly env: Readonly<Record<string, string>>;
  readonly args: string | undefined;
}

/** The same file or command on several pods at once: a terminal each, one summary. */
export class ManyRuns implements Disposable {
  readonly #summaries = new Map<string, string>();
  readonly #documents: Disposable;
  readonly #targets: Targets;

  constructor(
    private readonly parts: Parts,
    private readonly runs: Runs,
  ) {
    this.#targets = new Targets(parts.store);
    this.#documents = workspace.registerTextDocumentContentProvider(`${RUN_SCHEME}-summary`, { provideTextDocumentContent: ({ path }) => this.#summaries.get(path) ?? '' });
  }

  register(): Disposable {
    return command('runpod.runOnPods', this.parts.log, async (target, chosen): Promise<readonly PodOutcome[]> => this.#run(target, choices(chosen) ?? {}));
  }

  dispose(): void {
    this.#documents.dispose();
  }

  /** @param options `pods`: ids or names, or `{pod, args?, env?}` each; `command`: instead of a file */
  async #run(target: unknown, options: Readonly<Record<string, unknown>>): Promise<readonly PodOutcome[]> {
    const line = typeof options['command'] === 'string' ? options['command'] : undefined;
    const file = line !== undefined ? undefined : target instanceof Uri ? target : typeof target === 'string' && target !== '' ? Uri.parse(target, true) : window.activeTextEditor?.document.uri;
    if (line === undefined && file === undefined) throw new Error(l10n.t('Open the file to run, or choose it in the explorer.'));
    if (file?.scheme === 'runpod') throw new Error(l10n.t('A file of one pod runs on that pod. Local files, and commands, run on many.'));
    const parts = Array.isArray(options['pods']) ? await this.#partsOf(options['pods']) : await this.#askPods();
    const group = new Date().toISOString();
    // By its number: one pod can have several of them, and other runs besides.
    const ended = new Map<string | undefined, EndedRun>();
    const title = file === undefined ? (line ?? '') : file.path.slice(file.path.lastIndexOf('/') + 1);
    const listener = this.parts.followed.onDidEnd((one) => {
      const { meta } = one.run;
      if (meta.group === group) ended.set(meta.env?.['RUNPOD_RUN_INDEX'], one);
    });
    try {
      const outcomes = await Promise.all(
        parts.map(async ({ pod, env: own, args }, index): Promise<PodOutcome> => {
          const env = { RUNPOD_RUN_INDEX: String(index), RUNPOD_RUN_COUNT: String(parts.length), ...own };
          try {
            const { exitCode } = file === undefined ? await this.runs.runCommand(pod.id, line ?? '', { env, group }) : await this.runs.runFile(file, { pod: pod.id, env, args, group, confirmed: options['confirmed'] === true });
            const end = ended.get(env.RUNPOD_RUN_INDEX);
            return { pod: pod.name, exitCode, ...(end === undefined ? {} : { run: end.run, lastLine: end.lines.at(-1) ?? '' }) };
          } catch (error) {
            return { pod: pod.name, exitCode: undefined, error: isCancelled(error) ? l10n.t('cancelled') : messageOf(error) };
          }
        }),
      );
      void this.#tell(title, group, outcomes);
      return outcomes;
    } finally {
      listener.dispose();
    }
  }

  async #partsOf(pods: readonly unknown[]): Promise<Part[]> {
    return Promise.all(
      pods.map(async (one) => {
        const { pod: named, args, env } = choices(one) ?? { pod: one };
        const pod = await this.#targets.pod(named, '');
        const own = Object.entries(choices(env) ?? {}).map(([name, value]) => [name, String(value)] as const);
        return { pod, env: Object.fromEntries(own), args: typeof args === 'string' ? args : undefined };
      }),
    );
  }

  async #askPods(): Promise<Part[]> {
    const running = this.parts.store.state.pods.filter(({ status }) => status === 'RUNNING');
    const picked = await ask.someOf(
      running.map((pod) => ({ label: pod.name, description: rate(pod.costPerHour), pod })),
      { title: l10n.t('Run on which pods?'), placeHolder: l10n.t('Each run has RUNPOD_RUN_INDEX and RUNPOD_RUN_COUNT in its environment.') },
    );
    if (picked === undefined || picked.length === 0) throw new CancelledError();
    const args = await ask.text({ title: l10n.t('Arguments'), prompt: l10n.t('{index} and {count} stand for the pod’s number and how many there are; several lines, divided by “;;”, give each pod its own.') });
    if (args === undefined) throw new CancelledError();
    const each = args.split(';;');
    return picked.map(({ pod }, index) => ({
      pod,
      env: {},
      args: (each.length === picked.length ? each[index] : args)?.replaceAll('{index}', String(index)).replaceAll('{count}', String(picked.length)),
    }));
  }

  async #tell(title: string, group: string, outcomes: readonly PodOutcome[]): Promise<void> {
    const failed = outcomes.filter(({ exitCode }) => exitCode !== 0);
    const path = `/${title.replaceAll('/', '∕').slice(0, 60)} ${group.slice(0, 19).replaceAll(':', '-')}.txt`;
    this.#summaries.set(path, table(outcomes));
    const show = l10n.t('Show Summary');
    const message =
      failed.length === 0
        ? l10n.t('{0} ended well on all {1} pods.', title, outcomes.length)
        : l10n.t('{0} on {1} pods: {2} went well; {3}.', title, outcomes.length, outcomes.length - failed.length, failed.map(({ pod, exitCode, error }) => `${pod}: ${error ?? l10n.t('exit code {0}', exitCode ?? '?')}`).join(', '));
    const answer = await (failed.length === 0 ? notice.inform(message, show) : notice.warn(message, show));
    if (answer === show) await commands.executeCommand('vscode.open', Uri.from({ scheme: `${RUN_SCHEME}-summary`, path }));
  }
}

function table(outcomes: readonly PodOutcome[]): string {
  const rows = [
    [l10n.t('Pod'), l10n.t('Exit code'), l10n.t('Time'), l10n.t('Cost'), l10n.t('Last line')],
    ...outcomes.map(({ pod, exitCode, error, run, lastLine }) => [pod, exitCode === undefined ? '–' : String(exitCode), run === undefined ? '–' : longTime(durationOf(run)), (run && came(costOf(run))) ?? '–', error ?? lastLine ?? '']),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n') + '\n';
}
