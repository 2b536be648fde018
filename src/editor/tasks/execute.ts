import { l10n, tasks, type Task } from 'vscode';
import { CancelledError } from '../../base/errors';
import { makeTask, sameDefinition, type RunDefinition, type Scope } from './definition';
import type { RunTerminal } from './runTerminal';
import { notice } from '../prompts/notice';

export interface RunOutcome {
  /** `undefined` when the person has closed the terminal and the run goes on. */
  readonly exitCode: number | undefined;
}

/**
 * Runs a command as a task, so that its output has the task's terminal and it can be run again, and waits for its end.
 * @param terminal makes the terminal of one execution; called again when the person runs the task again
 */
export async function execute(definition: RunDefinition, scope: Scope, name: string, terminal: () => RunTerminal): Promise<RunOutcome> {
  await endRunning(definition, name);
  return new Promise<RunOutcome>((resolve, reject) => {
    let made: RunTerminal | undefined;
    const task: Task = makeTask(definition, scope, name, () => {
      const first = made === undefined;
      const next = terminal();
      made ??= next;
      // The editor ends the task a moment after its terminal; until then it would not run the same command again.
      if (first) void next.finished.then((exitCode) => setTimeout(() => settle(() => resolve({ exitCode })), ENDED_AT_LAST_MS));
      return next;
    });
    const ended = tasks.onDidEndTask(({ execution }) => {
      if (!sameDefinition(execution.task.definition, definition)) return;
      // Without a terminal the editor gave it up before it began; otherwise the terminal knows how it ended, or soon will.
      if (made === undefined) settle(() => reject(new CancelledError()));
      else void made.finished.then((exitCode) => settle(() => resolve({ exitCode })));
    });
    const settle = (outcome: () => void): void => {
      ended.dispose();
      outcome();
    };
    tasks.executeTask(task).then(undefined, (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))));
  });
}

/** Should the editor not say that a task has ended whose terminal has. */
const ENDED_AT_LAST_MS = 3_000;

/** The editor runs a task only once at a time and would ask in its own words; here the one that runs can be ended. */
async function endRunning(definition: RunDefinition, name: string): Promise<void> {
  const running = tasks.taskExecutions.find((execution) => sameDefinition(execution.task.definition, definition));
  if (running === undefined) return;
  const again = l10n.t('End It and Run Again');
  if ((await notice.warn(l10n.t('“{0}” is still running.', name), again)) !== again) throw new CancelledError();
  const ended = new Promise<void>((resolve) => {
    const listener = tasks.onDidEndTask(({ execution }) => {
      if (execution !== running) return;
      listener.dispose();
      resolve();
    });
  });
  running.terminate();
  await ended;
}
