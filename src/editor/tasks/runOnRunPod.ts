import { l10n, TaskScope, workspace, type Uri } from 'vscode';
import type { RunRecord } from '../../runs/detached/list';
import type { Pod } from '../../runpod/types';
import { SCHEME, SCHEME_READONLY } from '../ids';
import { machineName, oursBy, sourceFile, sourceFolder } from '../runSource';
import { TASK_TYPE, type RunDefinition } from './definition';
import { execute, type RunOutcome } from './execute';
import { howToRun, type HowToRun } from './howToRun';
import { folderName, localTree, onlyFile } from '../sync/localFolder';
import { findPod, podNow, type RunParts } from './pods';
import { shortened, type PreparedRun } from './preparedRun';
import { taskTerminal } from './provider';
import { RunTerminal } from './runTerminal';
import { saveBelow } from '../saving';
import { sendFolder } from './sendFolder';
import { folderOfFile, folderSource, localSource, type Source } from './whatToSend';

export interface RunChoices {
  /** Id or name. */
  readonly pod?: string | undefined;
  /** Instead of the file's interpreter; runs where the file lies or was sent. */
  readonly command?: string | undefined;
  /** What happens to files that the pod has otherwise; asked when it comes to that. */
  readonly conflicts?: 'overwrite' | 'keep' | undefined;
  /** Sends any amount without asking. */
  readonly confirmed?: boolean | undefined;
  /** Shell text behind the command that runs the file. */
  readonly args?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Several runs that were started as one. */
  readonly group?: string | undefined;
  /** What is sent, where that was decided before. */
  readonly source?: Source | undefined;
}

export interface CommandChoices {
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Absolute, or below the mount path. */
  readonly cwd?: string | undefined;
  /** What the run is called. */
  readonly title?: string | undefined;
  readonly group?: string | undefined;
  /** Address of the local folder that `cwd` is a copy of. */
  readonly folder?: string | undefined;
}

/** The bodies of **Run on RunPod** and **Run Command on Pod**. */
export class Runs {
  constructor(private readonly parts: RunParts) {}

  /**
   * Runs a file: one on a pod where it lies, a local one after its folder was sent. Documents are saved first.
   * @returns when the command has ended
   */
  async runFile(uri: Uri, choices: RunChoices = {}): Promise<RunOutcome> {
    return uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY ? this.#runThere(uri, choices) : this.#runLocal(uri, choices);
  }

  /** Runs a command line on a pod, in its mount path unless told. */
  async runCommand(podId: string, command: string, { env, cwd, title: given, group, folder }: CommandChoices = {}): Promise<RunOutcome> {
    const pod = await findPod(this.parts, podId);
    const definition: RunDefinition = { type: TASK_TYPE, command, pod: pod.id, ...(cwd === undefined ? {} : { cwd }), ...(env === undefined ? {} : { env }) };
    const shown = given ?? shortened(command);
    const name = l10n.t('{0} on {1}', shown, pod.name);
    const meta = { ...(group === undefined ? {} : { group }), ...(folder === undefined ? {} : { source: { uri: folder, machine: machineName() } }) };
    return execute(definition, TaskScope.Workspace, name, () => taskTerminal(this.parts, definition, TaskScope.Workspace, name, { title: shown, meta }));
  }

  /** Runs what a run ran, with its folder, arguments and variables; one that was sent from this machine is sent anew first. */
  async again(pod: Pod, run: RunRecord): Promise<RunOutcome> {
    const { meta } = run;
    const folder = sourceFolder(run, oursBy(this.parts.mappings));
    if (folder !== undefined) {
      const choices: RunChoices = { pod: pod.id, command: meta.command, env: meta.env };
      const { source } = meta;
      if (source?.file === undefined && (await isThere(folder))) return this.runFolder(folder, meta.command, choices);
      const file = sourceFile(run, folder);
      if (file !== undefined && source?.file !== undefined && (await isThere(file))) return this.runFile(file, { ...choices, source: { folder, file: source.file, only: source.only === true } });
    }
    const definition: RunDefinition = { type: TASK_TYPE, command: meta.command, pod: pod.id, ...(meta.cwd === undefined ? {} : { cwd: meta.cwd }), ...(meta.env === undefined ? {} : { env: meta.env }) };
    const name = l10n.t('{0} on {1}', meta.title, pod.name);
    return execute(definition, TaskScope.Workspace, name, () => taskTerminal(this.parts, definition, TaskScope.Workspace, name, { title: meta.title }));
  }

  /** Runs a command line in a folder: one of a pod, or a local one that is sent first, with the project that it lies in. */
  async runFolder(uri: Uri, command: string, choices: RunChoices = {}): Promise<RunOutcome> {
    const name = nameOf(uri) || uri.path;
    if (uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY) {
      const pod = await findPod(this.parts, uri.authority);
      await saveBelow(uri);
      const definition: RunDefinition = { type: TASK_TYPE, command, pod: pod.id, cwd: uri.path };
      return execute(definition, TaskScope.Workspace, title(uri, pod), () => taskTerminal(this.parts, definition, TaskScope.Workspace, title(uri, pod), { title: name }));
    }
    return this.#runLocal(uri, { ...choices, command }, true);
  }

  async #runThere(uri: Uri, choices: RunChoices): Promise<RunOutcome> {
    const pod = await findPod(this.parts, uri.authority);
    const folder = folderOfFile(uri, pod.mount?.path);
    await saveBelow(folder);
    const path = uri.path;
    const { command, remarks } = await this.#how(pod, path, folder.path, uri, choices);
    const definition: RunDefinition = { type: TASK_TYPE, command, pod: pod.id, cwd: folder.path, ...(choices.env === undefined ? {} : { env: choices.env }) };
    return execute(definition, workspace.getWorkspaceFolder(uri) ?? TaskScope.Workspace, title(uri, pod), () => taskTerminal(this.parts, definition, TaskScope.Workspace, title(uri, pod), { title: nameOf(uri), remarks }));
  }

  async #runLocal(uri: Uri, choices: RunChoices, isFolder = false): Promise<RunOutcome> {
    if (uri.scheme === 'untitled') throw new Error(l10n.t('Save the file first; then it can be run on a pod.'));
    const pod = await findPod(this.parts, choices.pod);
    const { folder, file, only } = isFolder ? folderSource(uri) : (choices.source ?? (await localSource(uri, choices.confirmed === true)));
    const prepare = async (signal?: AbortSignal): Promise<PreparedRun> => {
      await saveBelow(only ? uri : folder);
      const tree = localTree(folder);
      const sent = await sendFolder(
        this.parts.ledgers,
        this.parts.mappings,
        { guards: this.parts.guards, pod, session: this.parts.sessions.get(pod.id), files: this.parts.files(pod.id), folder, tree: only ? onlyFile(tree, file) : tree, conflicts: choices.conflicts, confirmed: choices.confirmed },
        signal,
      );
      const { command, remarks } = await this.#how(pod, `${sent.target}/${file}`, sent.target, uri, choices);
      const cwd = isFolder && file !== '' ? `${sent.target}/${file}` : sent.target;
      return {
        session: this.parts.sessions.get(pod.id),
        command: { command, cwd, env: choices.env },
        title: file === '' ? folderName(folder) : file,
        meta: { source: { uri: (isFolder ? uri : folder).toString(), machine: machineName(), ...(isFolder ? {} : { file }), ...(only ? { only } : {}) }, ...(choices.group === undefined ? {} : { group: choices.group }) },
        pod: podNow(this.parts, pod),
        remarks: [...sent.remarks, ...remarks],
      };
    };
    // Sent before there is a task, so that what is wrong is said with a button and not in a terminal; when the task is run
    // again, what has changed meanwhile is sent again.
    let first: PreparedRun | undefined = await prepare();
    const definition: RunDefinition = { type: TASK_TYPE, command: first.command.command, pod: pod.id, ...(first.command.cwd === undefined ? {} : { cwd: first.command.cwd }), ...(choices.env === undefined ? {} : { env: choices.env }) };
    return execute(definition, workspace.getWorkspaceFolder(uri) ?? TaskScope.Workspace, title(uri, pod), () => {
      const ready = first;
      first = undefined;
      return new RunTerminal(async (signal) => ready ?? prepare(signal), this.parts, title(uri, pod));
    });
  }

  async #how(pod: Pod, path: string, root: string, uri: Uri, { command, args }: RunChoices): Promise<HowToRun> {
    if (command !== undefined) return { command, remarks: [] };
    const found = await howToRun(this.parts, pod, path, root, uri);
    return args === undefined || args.trim() === '' ? found : { ...found, command: `${found.command} ${args.trim()}` };
  }
}

const isThere = (uri: Uri): Promise<boolean> =>
  Promise.resolve(
    workspace.fs.stat(uri).then(
      () => true,
      () => false,
    ),
  );

const nameOf = (uri: Uri): string => uri.path.slice(uri.path.lastIndexOf('/') + 1);
const title = (uri: Uri, pod: Pod): string => l10n.t('{0} on {1}', nameOf(uri), pod.name);

