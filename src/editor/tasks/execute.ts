import { l10n, tasks, window, type Task } from 'vscode';
import { CancelledError } from '../../base/errors';
import { makeTask, sameDefinition, type RunDefinition, type Scope } from './definition';
import type { RunTerminal } from './runTerminal';

export interface RunOutcome {
  readonly exitCode: number;
}

/**
 * Runs a command as a task, so that its output has the task's terminal and it can be run again, and waits for its end.
 * @param terminal makes the terminal of one execution; called again when the person runs the task again
 */
export async function execute(definition: RunDefinition, scope: Scope, name: string, terminal: () => RunTerminal): Promise<RunOutcome> {
  await endRunning(definition, name);
  return new Promise<RunOutcome>((resolve, reject) => {
    let begun = false;
    const task: Task = makeTask(definition, scope, name, () => {
      const made = terminal();
      begun = true;
      void made.finished.then((exitCode) => settle(() => resolve({ exitCode })));
      return made;
    });
    const ended = tasks.onDidEndTask(({ execution }) => {
      // Given up by the editor before it had a terminal; otherwise the terminal tells how it ended.
      if (!begun && sameDefinition(execution.task.definition, definition)) settle(() => reject(new CancelledError()));
    });
    const settle = (outcome: () => void): void => {
      ended.dispose();
      outcome();
    };
    tasks.executeTask(task).then(undefined, (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))));
  });
}

/** The editor runs a task only once at a time and would ask in its own words; here the one that runs can be ended. */
async function endRunning(definition: RunDefinition, name: string): Promise<void> {
  const running = tasks.taskExecutions.find((execution) => sameDefinition(execution.task.definition, definition));
  if (running === undefined) return;
  const again = l10n.t('End It and Run Again');
  if ((await window.showWarningMessage(l10n.t('“{0}” is still running.', name), again)) !== again) throw new CancelledError();
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
