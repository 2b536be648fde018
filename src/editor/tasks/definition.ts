import { CustomExecution, l10n, Task, TaskPanelKind, TaskRevealKind, type Pseudoterminal, type TaskDefinition, type TaskScope, type WorkspaceFolder } from 'vscode';
import { messageOf } from '../../base/errors';

export const TASK_TYPE = 'runpod';

/** A task as `tasks.json` has it. */
export interface RunDefinition extends TaskDefinition {
  readonly type: typeof TASK_TYPE;
  /** Shell text. */
  readonly command: string;
  /** Id or name; the pod whose folder the task belongs to, else the active pod, when absent. */
  readonly pod?: string;
  /** Absolute, or below the mount path; the task's folder on the pod, else the mount path, when absent. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Regular expression of the line that says that a background task is up. */
  readonly readyWhen?: string;
}

export type Scope = WorkspaceFolder | TaskScope.Workspace | TaskScope.Global;

/** The definition in what a person wrote; says what is wrong with it. */
export function readDefinition(definition: TaskDefinition): RunDefinition {
  const { command, pod, cwd, env, readyWhen }: Readonly<Record<string, unknown>> = definition;
  if (typeof command !== 'string' || command.trim() === '') throw new Error(l10n.t('A task of type “runpod” needs a “command”.'));
  for (const [name, value] of Object.entries({ pod, cwd, readyWhen }))
    if (value !== undefined && typeof value !== 'string') throw new Error(l10n.t('“{0}” of a task of type “runpod” must be text.', name));
  return {
    type: TASK_TYPE,
    command,
    ...(typeof pod === 'string' && pod !== '' ? { pod } : {}),
    ...(typeof cwd === 'string' && cwd !== '' ? { cwd } : {}),
    ...(env === undefined ? {} : { env: readEnv(env) }),
    ...(typeof readyWhen === 'string' && readyWhen !== '' ? { readyWhen: checkedPattern(readyWhen) } : {}),
  };
}

function checkedPattern(pattern: string): string {
  try {
    new RegExp(pattern, 'u');
    return pattern;
  } catch (error) {
    throw new Error(l10n.t('“readyWhen” of a task of type “runpod” is no regular expression: {0}', messageOf(error)), { cause: error });
  }
}

function readEnv(env: unknown): Record<string, string> {
  const wrong = (): Error => new Error(l10n.t('“env” of a task of type “runpod” must name variables and their values as text.'));
  if (typeof env !== 'object' || env === null || Array.isArray(env)) throw wrong();
  return Object.fromEntries(
    Object.entries(env).map(([name, value]: [string, unknown]) => {
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') throw wrong();
      return [name, String(value)];
    }),
  );
}

/** A task of ours. @param terminal makes the terminal for one execution, of the definition with its variables filled in. */
export function makeTask(definition: TaskDefinition, scope: Scope, name: string, terminal: (resolved: TaskDefinition) => Pseudoterminal): Task {
  const task = new Task(definition, scope, name, 'RunPod', new CustomExecution(async (resolved) => terminal(resolved)), []);
  task.presentationOptions = { reveal: TaskRevealKind.Always, panel: TaskPanelKind.Dedicated };
  return task;
}

/** Whether two tasks are one to the editor, which runs each only once at a time. */
export function sameDefinition(a: TaskDefinition, b: TaskDefinition): boolean {
  const key = ({ type, command, pod, cwd, env, readyWhen }: Readonly<Record<string, unknown>>): string => JSON.stringify([type, command, pod, cwd, env, readyWhen]);
  return key(a) === key(b);
}
