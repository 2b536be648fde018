import { commands, l10n, ThemeIcon, window, type Disposable, type QuickPickItem, type Terminal, type Uri } from 'vscode';
import { CancelledError, isCancelled, messageOf } from '../../base/errors';
import { RunError } from '../../runs/detached/errors';
import { deleteRun, findRun, readOutput, type RunRecord } from '../../runs/detached/list';
import { stopRun } from '../../runs/detached/stop';
import { LAST_BYTES, LAST_LINES, lastLines } from '../../runs/plainText';
import type { Pod } from '../../runpod/types';
import { command, Targets } from '../commands/command';
import type { Parts } from '../parts';
import { podNow, type RunParts } from '../tasks/pods';
import { withPatience } from '../progress';
import { RunTerminal } from '../tasks/runTerminal';
import type { RunOutputs } from './output';
import { describeRun, stateOf } from './describe';
import { localTime } from '../words';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

/** How a run is started again: as the task it was, after its folder was sent anew where it came from this machine. */
export type Rerun = (pod: Pod, run: RunRecord) => Promise<{ exitCode: number | undefined }>;

/** The commands on runs: list, attach, stop, again, compare, output, delete. */
export class RunCommands {
  readonly #targets: Targets;

  constructor(
    private readonly parts: Parts,
    private readonly runParts: RunParts,
    private readonly rerun: Rerun,
    private readonly outputs: RunOutputs,
  ) {
    this.#targets = new Targets(parts.store, parts.activePod);
  }

  register(): Disposable[] {
    const { log } = this.parts;
    return [
      command('runpod.listRuns', log, async (target): Promise<readonly RunRecord[]> => {
        const pod = await this.#targets.forUse(target, l10n.t('List the runs of which pod?'), isRunning);
        this.parts.identities.askAgain();
        const runs = await this.#refresh(pod);
        // A program wants the list; a person wants to choose from it.
        if (typeof target !== 'string' && runs.length === 0) void notice.inform(l10n.t('Nothing has been run on {0} yet.', pod.name));
        else if (typeof target !== 'string') {
          const picked = await this.#pick(pod, runs, l10n.t('Runs on {0}', pod.name));
          this.attach(pod, await findRun(this.parts.sessions.get(pod.id), picked.id));
        }
        return runs;
      }),
      command('runpod.attachRun', log, async (target, runId): Promise<Terminal> => {
        const { pod, run } = await this.#run(target, runId, l10n.t('Show which run?'));
        return this.attach(pod, await findRun(this.parts.sessions.get(pod.id), run.id));
      }),
      command('runpod.stopRun', log, async (target, runId): Promise<RunRecord> => {
        const { pod, run } = await this.#run(target, runId, l10n.t('Stop which run?'), ({ state }) => state === 'running');
        await withPatience(l10n.t('Stopping {0} on {1}…', run.meta.title, pod.name), (_report, signal) => stopRun(this.parts.sessions.get(pod.id), run, { signal }));
        return this.#look(pod, run.id);
      }),
      command('runpod.runAgain', log, async (target, runId) => {
        const { pod, run } = await this.#run(target, runId, l10n.t('Run which one again?'));
        return this.rerun(pod, run);
      }),
      command('runpod.showRunOutput', log, async (target, runId): Promise<Uri> => {
        const { run } = await this.#run(target, runId, l10n.t('Show the output of which run?'));
        const uri = this.outputs.of(run, run.meta.title);
        await commands.executeCommand('vscode.open', uri, { preview: true });
        return uri;
      }),
      command('runpod.compareRuns', log, async (target, others, more) => this.#compare(target, others, more)),
      command('runpod.deleteRun', log, async (target, runId) => {
        const { pod, run } = await this.#run(target, runId, l10n.t('Delete which run?'), ({ state }) => state !== 'running');
        if (typeof target !== 'string') {
          const remove = l10n.t('Delete Run');
          await notice.confirm(l10n.t('Delete what {0} printed from {1}?', run.meta.title, pod.name), '', remove);
        }
        await deleteRun(this.parts.sessions.get(pod.id), run);
        await this.#refresh(pod);
      }),
    ];
  }

  /** Opens a terminal on a run, or shows the one that it has. */
  attach(pod: Pod, run: RunRecord & { readonly outputBytes: number }, quietly = false): Terminal {
    const name = l10n.t('{0} on {1}', run.meta.title, pod.name);
    if (this.parts.followed.isFollowed(run.id)) {
      const label = this.parts.followed.labelOf(run.id) ?? name;
      const open = window.terminals.findLast((terminal) => terminal.name.includes(label));
      if (open !== undefined) {
        open.show();
        return open;
      }
    }
    const pty = new RunTerminal(async () => ({ session: this.parts.sessions.get(pod.id), command: { command: run.meta.command }, attach: run, pod: podNow(this.runParts, pod) }), this.runParts, name, { stays: true });
    const terminal = window.createTerminal({ name, pty, iconPath: new ThemeIcon('run-all'), isTransient: true });
    terminal.show(quietly);
    return terminal;
  }

  /**
   * Takes up the runs that this window had terminals for when it was closed: those that still run get theirs back, of the
   * others it is told how they ended.
   */
  async takeUp(onEnded: (run: RunRecord, lines: readonly string[]) => void): Promise<void> {
    const { followed, store, sessions, log } = this.parts;
    const left = followed.left();
    for (const podId of new Set(left.map((ref) => ref.podId))) {
      const pod = store.find(podId);
      const refs = left.filter((ref) => ref.podId === podId);
      if (pod?.status !== 'RUNNING') {
        // A pod that is stopped has ended them; one that only changes may come back with nothing of them.
        if (pod === undefined || pod.status === 'EXITED') for (const ref of refs) followed.leave(ref);
        continue;
      }
      for (const ref of refs)
        try {
          const run = await findRun(sessions.get(podId), ref.id);
          this.parts.runBook.note(run);
          if (run.state === 'running') this.attach(pod, run, true);
          else {
            followed.leave(ref);
            onEnded(run, await this.#lastLines(run));
          }
        } catch (error) {
          if (error instanceof RunError) followed.leave(ref);
          if (!isCancelled(error)) log.warn(`Run ${ref.id}: ${messageOf(error)}`);
        }
    }
  }

  async #lastLines(run: RunRecord): Promise<readonly string[]> {
    const bytes = await readOutput(this.parts.sessions.get(run.podId), run, LAST_BYTES).catch(() => Buffer.of());
    return lastLines(bytes.toString(), LAST_LINES);
  }

  async #compare(target: unknown, others: unknown, more: unknown): Promise<void> {
    // From the view with several rows chosen: the row, then all of them.
    const rows = Array.isArray(others) ? others.map(refOf).filter((ref) => ref !== undefined) : [];
    const [one, two] = rows;
    let left: RunRecord;
    let right: RunRecord;
    if (one !== undefined && two !== undefined) {
      left = (await this.#run({ podId: one.podId }, one.runId, '')).run;
      right = (await this.#run({ podId: two.podId }, two.runId, '')).run;
    } else {
      const first = await this.#run(target, typeof others === 'string' ? others : undefined, l10n.t('Compare which run?'));
      right = first.run;
      left = (await this.#run(typeof target === 'string' ? target : { podId: first.pod.id }, more, l10n.t('Compare {0} with which run?', right.meta.title), ({ id }) => id !== right.id, ({ meta }) => meta.title === right.meta.title)).run;
    }
    if (left.startedAt > right.startedAt) [left, right] = [right, left];
    const titleOf = (run: RunRecord): string => `${run.meta.title} (${new Date(run.startedAt).toLocaleTimeString()}, ${stateOf(run)})`;
    await commands.executeCommand('vscode.diff', this.outputs.of(left, left.meta.title), this.outputs.of(right, right.meta.title), `${titleOf(left)} ↔ ${titleOf(right)}`);
  }

  /** The run that is meant: a row, `podId` and `runId`, or what the person chooses. @param first which are offered before the others */
  async #run(target: unknown, runId: unknown, question: string, fits: (run: RunRecord) => boolean = () => true, first: (run: RunRecord) => boolean = () => false): Promise<{ pod: Pod; run: RunRecord }> {
    const ref = refOf(target);
    const pod = await this.#targets.forUse(target, l10n.t('On which pod?'), isRunning);
    const id = ref?.runId ?? (typeof runId === 'string' && runId !== '' ? runId : undefined);
    if (id !== undefined) return { pod, run: this.parts.runBook.find(pod.id, id) ?? (await this.#look(pod, id)) };
    const fitting = (await this.#refresh(pod)).filter(fits);
    return { pod, run: await this.#pick(pod, [...fitting.filter(first), ...fitting.filter((run) => !first(run))], question) };
  }

  async #pick(pod: Pod, runs: readonly RunRecord[], title: string): Promise<RunRecord> {
    if (runs.length === 0) throw new Error(l10n.t('There is no such run on {0}.', pod.name));
    const items = runs.map((run): QuickPickItem & { run: RunRecord } => ({ label: run.meta.title, description: describeRun(run), detail: `${localTime(run.startedAt)}   ${run.meta.command.split('\n')[0] ?? ''}`, run }));
    const picked = await ask.oneOf(items, { title, matchOnDetail: true });
    if (picked === undefined) throw new CancelledError();
    return picked.run;
  }

  async #look(pod: Pod, id: string): Promise<RunRecord> {
    const run = await findRun(this.parts.sessions.get(pod.id), id);
    this.parts.runBook.note(run);
    return run;
  }

  #refresh(pod: Pod): Promise<readonly RunRecord[]> {
    return withPatience(l10n.t('Connecting to {0}…', pod.name), () => this.parts.runBook.refresh(pod.id));
  }
}

const isRunning = (pod: Pod): boolean => pod.status === 'RUNNING';

function refOf(target: unknown): { podId: string; runId: string } | undefined {
  if (typeof target !== 'object' || target === null) return undefined;
  const { podId, runId } = target as { readonly podId?: unknown; readonly runId?: unknown };
  return typeof podId === 'string' && typeof runId === 'string' ? { podId, runId } : undefined;
}
