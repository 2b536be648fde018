import { hostname } from 'node:os';
import { l10n, TaskScope, Uri, window, workspace } from 'vscode';
import { CancelledError } from '../../base/errors';
import { quote } from '../../base/shell';
import { composeCommand } from '../../runs/command';
import { planRun, probeFile, readFacts, type FileFacts } from '../../runs/interpreter';
import type { RunRecord } from '../../runs/detached/list';
import type { Pod } from '../../runpod/types';
import { SCHEME, SCHEME_READONLY } from '../ids';
import { settings } from '../settings';
import { TASK_TYPE, type RunDefinition } from './definition';
import { execute, type RunOutcome } from './execute';
import { folderName, isProject, localTree, onlyFile } from '../sync/localFolder';
import { findPod, podNow, type RunParts } from './pods';
import { withPatience } from '../progress';
import { taskTerminal } from './provider';
import { RunTerminal, type PreparedRun } from './runTerminal';
import { saveBelow } from '../saving';
import { sendFolder } from './sendFolder';

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

const PROBE_DEADLINE_MS = 30_000;

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
    const shown = given ?? (command.length > 60 ? `${command.slice(0, 60)}…` : command);
    const name = l10n.t('{0} on {1}', shown, pod.name);
    const meta = { ...(group === undefined ? {} : { group }), ...(folder === undefined ? {} : { source: { uri: folder, machine: hostname() } }) };
    return execute(definition, TaskScope.Workspace, name, () => taskTerminal(this.parts, definition, TaskScope.Workspace, name, shown, meta));
  }

  /** Runs what a run ran, with its folder, arguments and variables; one that was sent from this machine is sent anew first. */
  async again(pod: Pod, { meta }: RunRecord): Promise<RunOutcome> {
    const { source } = meta;
    if (source !== undefined && source.machine === hostname()) {
      const file = Uri.joinPath(Uri.parse(source.uri, true), meta.title);
      const there = await workspace.fs.stat(file).then(
        () => true,
        () => false,
      );
      if (there) return this.runFile(file, { pod: pod.id, command: meta.command });
    }
    const definition: RunDefinition = { type: TASK_TYPE, command: meta.command, pod: pod.id, ...(meta.cwd === undefined ? {} : { cwd: meta.cwd }), ...(meta.env === undefined ? {} : { env: meta.env }) };
    const name = l10n.t('{0} on {1}', meta.title, pod.name);
    return execute(definition, TaskScope.Workspace, name, () => taskTerminal(this.parts, definition, TaskScope.Workspace, name, meta.title));
  }

  /** Runs a command line in a folder: one of a pod, or a local one that is sent first, with the project that it lies in. */
  async runFolder(uri: Uri, command: string, choices: RunChoices = {}): Promise<RunOutcome> {
    const name = nameOf(uri) || uri.path;
    if (uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY) {
      const pod = await findPod(this.parts, uri.authority);
      await saveBelow(uri);
      const definition: RunDefinition = { type: TASK_TYPE, command, pod: pod.id, cwd: uri.path };
      return execute(definition, TaskScope.Workspace, title(uri, pod), () => taskTerminal(this.parts, definition, TaskScope.Workspace, title(uri, pod), name));
    }
    return this.#runLocal(uri, { ...choices, command }, true);
  }

  /** The Python that belongs to a file of a pod, or the pod's own, as shell text. */
  async pythonFor(pod: Pod, path: string, root: string): Promise<string> {
    const facts = await this.#factsOf(pod, path, root);
    return facts.venvPython === undefined ? (facts.python?.endsWith('/python') ? 'python' : 'python3') : quote(facts.venvPython);
  }

  async #runThere(uri: Uri, choices: RunChoices): Promise<RunOutcome> {
    const pod = await findPod(this.parts, uri.authority);
    const folder = folderOfFile(uri, pod.mount?.path);
    await saveBelow(folder);
    const path = uri.path;
    const command = choices.command ?? withArguments(await this.#commandFor(pod, path, folder.path, uri), choices.args);
    const definition: RunDefinition = { type: TASK_TYPE, command, pod: pod.id, cwd: folder.path, ...(choices.env === undefined ? {} : { env: choices.env }) };
    return execute(definition, workspace.getWorkspaceFolder(uri) ?? TaskScope.Workspace, title(uri, pod), () => taskTerminal(this.parts, definition, TaskScope.Workspace, title(uri, pod), nameOf(uri)));
  }

  async #runLocal(uri: Uri, choices: RunChoices, isFolder = false): Promise<RunOutcome> {
    if (uri.scheme === 'untitled') throw new Error(l10n.t('Save the file first; then it can be run on a pod.'));
    const pod = await findPod(this.parts, choices.pod);
    const { folder, file, only } = isFolder ? folderSource(uri) : await localSource(uri, choices);
    const prepare = async (signal?: AbortSignal): Promise<PreparedRun> => {
      await saveBelow(only ? uri : folder);
      const tree = localTree(folder);
      const sent = await sendFolder(
        this.parts.ledgers,
        this.parts.mappings,
        { pod, session: this.parts.sessions.get(pod.id), files: this.parts.files(pod.id), folder, tree: only ? onlyFile(tree, file) : tree, name: folderName(folder), conflicts: choices.conflicts, confirmed: choices.confirmed },
        signal,
      );
      const command = choices.command ?? withArguments(await this.#commandFor(pod, `${sent.target}/${file}`, sent.target, uri), choices.args);
      const cwd = isFolder && file !== '' ? `${sent.target}/${file}` : sent.target;
      return {
        session: this.parts.sessions.get(pod.id),
        command: { command, cwd, env: choices.env },
        title: file === '' ? folderName(folder) : file,
        meta: { source: { uri: (isFolder ? uri : folder).toString(), machine: hostname() }, ...(choices.group === undefined ? {} : { group: choices.group }) },
        pod: podNow(this.parts, pod),
        remarks: sent.remarks,
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

  async #factsOf(pod: Pod, path: string, root: string): Promise<FileFacts> {
    const session = this.parts.sessions.get(pod.id);
    const said = await withPatience(l10n.t('Connecting to {0}…', pod.name), async (_report, signal) => {
      const { stdout } = await session.run(composeCommand({ command: probeFile(path, root) }), { deadlineMs: PROBE_DEADLINE_MS, signal });
      return stdout.toString();
    });
    return readFacts(said);
  }

  /** What runs a file, asked of the pod in one round trip. */
  async #commandFor(pod: Pod, path: string, root: string, uri: Uri): Promise<string> {
    const plan = planRun(path, await this.#factsOf(pod, path, root), settings.interpreters(uri));
    switch (plan.kind) {
      case 'run':
        return plan.command;
      case 'missing':
        throw new Error(l10n.t('{0} is not there on {1}. If ignore rules leave it out, a .runpodignore can take it back.', path, pod.name));
      case 'no-interpreter':
        throw new Error(
          plan.extension === ''
            ? l10n.t('Nothing says what runs {0}: it has no ending and no “#!” line. Make it executable, or name a command.', path)
            : l10n.t('Nothing says what runs files ending in {0}. The setting runpod.run.interpreters can.', plan.extension),
        );
    }
  }
}

const withArguments = (command: string, args: string | undefined): string => (args === undefined || args.trim() === '' ? command : `${command} ${args.trim()}`);

/** The project that is sent for a folder, and the folder in it; the folder itself where no project is open around it. */
function folderSource(uri: Uri): { folder: Uri; file: string; only: boolean } {
  const open = workspace.getWorkspaceFolder(uri)?.uri;
  const folder = open !== undefined && isProject(open) ? open : uri;
  if (!isProject(folder)) throw new Error(l10n.t('{0} is a home folder or a whole disk, and is not sent.', folder.path));
  return { folder, file: uri.path.slice(folder.path.replace(/\/+$/, '').length + 1).replace(/\/+$/, ''), only: false };
}

const nameOf = (uri: Uri): string => uri.path.slice(uri.path.lastIndexOf('/') + 1);
const title = (uri: Uri, pod: Pod): string => l10n.t('{0} on {1}', nameOf(uri), pod.name);

/** Where a pod's file is run: in the folder that is open, as it would be locally; in its own where that is the whole volume. */
function folderOfFile(uri: Uri, mount: string | undefined): Uri {
  const open = workspace.getWorkspaceFolder(uri)?.uri;
  const own = uri.with({ path: uri.path.slice(0, Math.max(1, uri.path.lastIndexOf('/'))) });
  return open === undefined || open.path === '/' || open.path.replace(/\/+$/, '') === mount?.replace(/\/+$/, '') ? own : open;
}

/** The folder that is sent for a local file, and the file in it. */
async function localSource(uri: Uri, choices: RunChoices): Promise<{ folder: Uri; file: string; only: boolean }> {
  const open = workspace.getWorkspaceFolder(uri)?.uri;
  if (open !== undefined && isProject(open)) return { folder: open, file: uri.path.slice(open.path.replace(/\/+$/, '').length + 1), only: false };
  const folder = Uri.joinPath(uri, '..');
  const file = nameOf(uri);
  if (!isProject(folder)) return { folder, file, only: true };
  if (choices.confirmed === true) return { folder, file, only: false };
  // No folder is open: whether its neighbours belong to the file is the person's to say.
  const whole = l10n.t('Send Folder');
  const alone = l10n.t('Send {0} Only', file);
  const answer = await window.showInformationMessage(l10n.t('{0} lies in no open folder. Send its folder {1} along?', file, folderName(folder)), whole, alone);
  if (answer === undefined) throw new CancelledError();
  return { folder, file, only: answer === alone };
}
