import { l10n, tasks, TaskScope, window, workspace, type Disposable, type Task, type TaskDefinition } from 'vscode';
import { CancelledError } from '../../base/errors';
import { quote } from '../../base/shell';
import { defaultInterpreters } from '../../runs/interpreter';
import { SCHEME, SCHEME_READONLY } from '../ids';
import { makeTask, readDefinition, TASK_TYPE, type RunDefinition, type Scope } from './definition';
import { findPod, podNow, type RunParts } from './pods';
import type { PreparedRun } from './preparedRun';
import { RunTerminal } from './runTerminal';

/** Makes the editor know tasks of type `runpod`. */
export function registerTasks(parts: RunParts): Disposable {
  return tasks.registerTaskProvider(TASK_TYPE, {
    provideTasks: () => suggestions(parts),
    // The editor insists on getting the very definition back that it asked about.
    resolveTask: (task) => makeTask(task.definition, task.scope ?? TaskScope.Workspace, task.name, (resolved) => taskTerminal(parts, resolved, task.scope ?? TaskScope.Workspace, task.name)),
  });
}

/** The terminal that a task of that name runs in. @param more `title`: what its run is called; the task's name unless told */
export function taskTerminal(parts: RunParts, definition: TaskDefinition, scope: Scope, name: string, more: Pick<PreparedRun, 'title' | 'remarks' | 'meta'> = {}): RunTerminal {
  return new RunTerminal(async (signal) => ({ ...(await prepare(parts, definition, scope, signal)), title: name, ...more }), parts, name);
}

async function prepare(parts: RunParts, raw: TaskDefinition, scope: Scope, signal: AbortSignal): Promise<PreparedRun> {
  const definition = readDefinition(raw);
  const home = folderOnPod(scope);
  const pod = await findPod(parts, definition.pod ?? home?.podId);
  if (signal.aborted) throw new CancelledError();
  const cwd = definition.cwd ?? (home?.podId === pod.id ? home.path : undefined);
  return { session: parts.sessions.get(pod.id), command: { command: definition.command, cwd, env: definition.env }, pod: podNow(parts, pod), readyWhen: definition.readyWhen };
}

/** The place on a pod that a task's folder is. */
function folderOnPod(scope: Scope): { podId: string; path: string } | undefined {
  if (typeof scope !== 'object') return undefined;
  const { scheme, authority, path } = scope.uri;
  return scheme === SCHEME || scheme === SCHEME_READONLY ? { podId: authority, path } : undefined;
}

/** What can be offered without asking the network: the pod's file in the editor, where its type says what runs it. */
function suggestions(parts: RunParts): Task[] {
  const uri = window.activeTextEditor?.document.uri;
  if (uri === undefined || (uri.scheme !== SCHEME && uri.scheme !== SCHEME_READONLY)) return [];
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  const extension = name.lastIndexOf('.') > 0 ? name.slice(name.lastIndexOf('.')).toLowerCase() : '';
  const usual = defaultInterpreters[extension];
  if (usual === undefined) return [];
  const interpreter = usual.replace(/^python\b/, 'python3');
  const definition: RunDefinition = { type: TASK_TYPE, command: `${interpreter} ${quote(uri.path)}`, pod: uri.authority, cwd: uri.path.slice(0, Math.max(1, uri.path.lastIndexOf('/'))) };
  const scope = workspace.getWorkspaceFolder(uri) ?? TaskScope.Workspace;
  const label = l10n.t('Run {0}', name);
  return [makeTask(definition, scope, label, (resolved) => taskTerminal(parts, resolved, scope, label, { title: name }))];
}
