import { CustomExecution, EventEmitter, l10n, Task, TaskGroup, TaskPanelKind, TaskRevealKind, tasks, TaskScope, Uri, workspace, type Disposable, type Pseudoterminal, type TaskDefinition, type WorkspaceFolder } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import { steadyNow } from '../../base/time';
import { explain } from '../errorWords';
import type { Parts } from '../parts';
import { note, warning } from '../terminal/lines';
import { isLocal } from './source';
import { readChoices, type SyncChoices, type SyncWork } from './work';

export const SYNC_TASK_TYPE = 'runpod-sync';

/** How a task ends. */
const EXIT = { fine: 0, failed: 1, conflict: 2, interrupted: 130 } as const;
/** The editor calls an end within its first half second a failure to launch; with some room. */
const LAUNCH_MS = 1_500;

type Scope = WorkspaceFolder | TaskScope.Workspace | TaskScope.Global;

/** Makes the editor know tasks of type `runpod-sync`: a push or pull as a step of others. */
export function registerSyncTasks(parts: Parts, work: SyncWork): Disposable {
  const make = (definition: TaskDefinition, scope: Scope, name: string): Task => {
    const task = new Task(definition, scope, name, 'RunPod', new CustomExecution(async (resolved) => new SyncTerminal(parts, work, resolved, scope)), []);
    task.presentationOptions = { reveal: TaskRevealKind.Always, panel: TaskPanelKind.Dedicated };
    task.group = TaskGroup.Build;
    return task;
  };
  return tasks.registerTaskProvider(SYNC_TASK_TYPE, {
    // Of folders that have a place on a pod.
    provideTasks: () =>
      (workspace.workspaceFolders ?? [])
        .filter(({ uri }) => isLocal(uri) && parts.mappings.of(uri) !== undefined)
        .flatMap((folder) => [make({ type: SYNC_TASK_TYPE, action: 'push' }, folder, l10n.t('Push')), make({ type: SYNC_TASK_TYPE, action: 'pull' }, folder, l10n.t('Pull'))]),
    resolveTask: (task) => make(task.definition, task.scope ?? TaskScope.Workspace, task.name),
  });
}

interface SyncDefinition {
  readonly action: 'push' | 'pull';
  /** The folder or file that is meant. */
  readonly source: Uri | undefined;
  readonly choice: SyncChoices;
}

/** The definition in what a person wrote; says what is wrong with it. A conflict is not asked about: the task fails on it unless it says otherwise. */
function readDefinition(definition: TaskDefinition, scope: Scope): SyncDefinition {
  const { action, source, conflicts }: Readonly<Record<string, unknown>> = definition;
  if (action !== 'push' && action !== 'pull') throw new Error(l10n.t('A task of type “runpod-sync” needs an “action”: “push” or “pull”.'));
  if (source !== undefined && typeof source !== 'string') throw new Error(l10n.t('“{0}” of a task of type “runpod-sync” must be text.', 'source'));
  if (conflicts !== undefined && conflicts !== 'keep' && conflicts !== 'both' && conflicts !== 'overwrite') throw new Error(l10n.t('“conflicts” of a task of type “runpod-sync” must be “keep”, “both” or “overwrite”.'));
  const folder = typeof scope === 'object' ? scope.uri : undefined;
  const absolute = source !== undefined && /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(source);
  const named = source === undefined || source === '' || source === '.' ? folder : absolute ? Uri.file(source) : folder === undefined ? undefined : Uri.joinPath(folder, ...source.split(/[\\/]/));
  if (named === undefined && source !== undefined && source !== '') throw new Error(l10n.t('“source” of a task of type “runpod-sync” must be an absolute path where the task belongs to no folder.'));
  return { action, source: named, choice: { ...readChoices({ ...definition, dryRun: false }), conflicts: conflicts ?? 'keep' } };
}

/** The terminal of one push or pull: what was done, and at its end an exit code that tells a conflict from a failure. */
class SyncTerminal implements Pseudoterminal {
  readonly #write = new EventEmitter<string>();
  readonly #close = new EventEmitter<number>();
  readonly #abort = new AbortController();
  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;

  constructor(
    private readonly parts: Parts,
    private readonly work: SyncWork,
    private readonly definition: TaskDefinition,
    private readonly scope: Scope,
  ) {}

  open(): void {
    const opened = steadyNow();
    void this.#run().then((code) => setTimeout(() => this.#close.fire(code), code === EXIT.fine ? 0 : Math.max(0, LAUNCH_MS - (steadyNow() - opened))));
  }

  close(): void {
    this.#abort.abort();
  }

  handleInput(text: string): void {
    if (text === '\x03') this.#abort.abort();
  }

  async #run(): Promise<number> {
    const { signal } = this.#abort;
    try {
      const { action, source, choice } = readDefinition(this.definition, this.scope);
      const push = action === 'push';
      const pair = await this.work.pairFor(source, choice, push ? l10n.t('Push to which pod?') : l10n.t('Pull from which pod?'));
      this.#write.fire(note(`${pair.folder.fsPath} ${push ? '→' : '←'} ${pair.pod.name} ▸ ${pair.destination}`));
      const { remarks, ...done } = push ? await this.work.push(pair, choice, signal) : await this.work.pull(pair, choice, signal);
      const code = codeOf(done.result);
      for (const [i, line] of remarks.entries()) this.#write.fire((i > 0 && code !== EXIT.fine ? warning : note)(line));
      return code;
    } catch (error) {
      if (isCancelled(error) || signal.aborted) {
        this.#write.fire(note(l10n.t('Cancelled')));
        return EXIT.interrupted;
      }
      this.parts.log.error(`Sync task: ${messageOf(error)}`);
      this.#write.fire(warning(explain(error).message));
      return EXIT.failed;
    }
  }
}

interface Results {
  readonly conflicts: readonly string[];
  readonly failed: readonly string[];
  readonly changed?: readonly string[];
  readonly unplaceable?: readonly string[];
}

const codeOf = ({ conflicts, failed, changed = [], unplaceable = [] }: Results): number => (failed.length + changed.length + unplaceable.length > 0 ? EXIT.failed : conflicts.length > 0 ? EXIT.conflict : EXIT.fine);
