import { FileType, l10n, Uri, window, workspace, type Disposable, type Terminal } from 'vscode';
import { CancelledError } from '../base/errors';
import { isSetUp } from '../runs/detached/setUp';
import { choices, command, run as runCommand, Targets } from './commands/command';
import { SCHEME, SCHEME_READONLY } from './ids';
import type { Parts } from './parts';
import { RunCommands } from './podRuns/commands';
import { AfterRuns } from './podRuns/afterRun';
import { Endings } from './podRuns/endings';
import { ManyRuns } from './podRuns/many';
import { PythonPrompts } from './podRuns/python';
import { pullResults, type ResultsParts } from './podRuns/results';
import { oursBy } from './runSource';
import { StreamedResults } from './podRuns/streamed';
import { UnseenRuns } from './podRuns/unseen';
import { wishesOf } from './podRuns/wishes';
import { FolderConsents } from './profile/consent';
import { RunOutputs } from './podRuns/output';
import { RunPlaces } from './podRuns/places';
import { leftRunning } from './podRuns/leftRunning';
import { completeTasks } from './tasks/completion';
import { registerTasks } from './tasks/provider';
import type { RunRecord } from '../runs/detached/list';
import type { FolderWishes } from './podRuns/wishes';
import type { RunParts } from './tasks/pods';
import type { RunObserver } from './tasks/preparedRun';
import type { EndedRun } from './podRuns/followed';
import { Runs, type CommandChoices, type RunChoices } from './tasks/runOnRunPod';
import { PodTerminals } from './terminal/register';
import { ask } from './prompts/ask';

const LAST_COMMAND = 'runpod.lastCommand';

/** Terminals, tasks and Run on RunPod. */
export function registerRuns(parts: Parts): Disposable[] {
  const { log, store, context } = parts;
  const targets = new Targets(store, parts.activePod);
  const terminals = new PodTerminals(parts);
  const nameOf = (podId: string): string => store.find(podId)?.name ?? podId;
  const isOurs = oursBy(parts.mappings);
  const wishes = (run: RunRecord): Promise<FolderWishes> => wishesOf(run, nameOf(run.podId), isOurs);
  const places = new RunPlaces(isOurs);
  const resultsParts: ResultsParts = { ...parts, wishes, isOurs };
  const streamed = new StreamedResults(resultsParts);
  const afterRuns = new AfterRuns(new FolderConsents(context.globalState));
  const unseen = new UnseenRuns({ sessions: parts.sessions, memento: context.workspaceState, log, note: (run) => parts.runBook.note(run), ended: (one) => parts.followed.end(one) });
  const observer: RunObserver = {
    began: (run, label, listen) => {
      places.follow(run, label, listen);
      unseen.seen(run.id);
      if (run.state !== 'running') return;
      void streamed.begin(run);
      if (!isSetUp(run.meta)) void wishes(run).then((found) => afterRuns.askAhead(found, nameOf(run.podId)));
    },
    leftRunning: (run) => {
      void unseen.follow(run);
      void leftRunning(parts, run);
    },
  };
  const runParts: RunParts = { ...parts, observer };
  const runs = new Runs(runParts);
  const outputs = new RunOutputs(parts.sessions, parts.runBook);
  const runCommands = new RunCommands(parts, runParts, (pod, run) => runs.again(pod, run), outputs);
  const many = new ManyRuns(parts, runs);
  const endings = new Endings({
    store,
    log,
    afterRuns,
    wishes,
    memento: context.workspaceState,
    pullResults: (run) => pullResults(resultsParts, run),
    endPod: (podId, how, agreed) => runCommand(how === 'stop' ? 'runpod.stopPod' : 'runpod.terminatePod', { podId }, agreed ? { confirmed: true } : undefined),
  });
  const tell = (ended: EndedRun): void => {
    streamed.end(ended.run.id);
    // Runs of other windows and machines count too; when that cannot be known, the pod is not anybody's to stop.
    const running = (): Promise<number> => parts.runBook.refresh(ended.run.podId).then((all) => all.filter(({ state }) => state === 'running').length, () => 1);
    void endings.tell(ended, running);
  };
  return [
    terminals,
    places,
    streamed,
    unseen,
    outputs,
    ...runCommands.register(),
    ...new PythonPrompts(parts, runParts, runs).register(),
    many,
    many.register(),
    parts.followed.onDidEnd(tell),
    takeUpRuns(parts, runCommands, unseen, tell),
    registerTasks(runParts),
    completeTasks(store),
    command('runpod.openTerminal', log, async (target): Promise<Terminal> => {
      const pod = await targets.forUse(target, l10n.t('Open a terminal on which pod?'));
      parts.identities.askAgain();
      return terminals.open(pod.id, await folderOf(target));
    }),
    command('runpod.runCommand', log, async (target, text, more) => {
      const pod = await targets.forUse(target, l10n.t('Run a command on which pod?'));
      const line = typeof text === 'string' && text.trim() !== '' ? text : await askCommand(pod.name, context.workspaceState.get(LAST_COMMAND));
      if (line !== text) await context.workspaceState.update(LAST_COMMAND, line);
      return runs.runCommand(pod.id, line, readCommandChoices(more));
    }),
    command('runpod.runOnRunPod', log, async (target, chosen) => {
      const uri = fileOf(target);
      const wanted = readChoices(chosen);
      if (!(await isFolder(uri))) return runs.runFile(uri, wanted);
      const last = `${LAST_COMMAND}:${uri.toString()}`;
      const line = wanted.command ?? (await askCommand(uri.path.split('/').at(-1) ?? '', context.workspaceState.get(last), l10n.t('Runs in this folder on the pod; a local folder is sent first.')));
      await context.workspaceState.update(last, line);
      return runs.runFolder(uri, line, wanted);
    }),
    command('runpod.runWithArguments', log, async (target, chosen) => {
      const uri = fileOf(target);
      const last = `runpod.lastArguments:${uri.toString()}`;
      const args = readChoices(chosen).args ?? (await ask.text({ title: l10n.t('Arguments for {0}', uri.path.split('/').at(-1) ?? ''), prompt: l10n.t('Shell text, as behind the command in a terminal.'), value: context.workspaceState.get(last) ?? '' }));
      if (args === undefined) throw new CancelledError();
      await context.workspaceState.update(last, args);
      return runs.runFile(uri, { ...readChoices(chosen), args });
    }),
  ];
}

/** Once, when it is known which pods there are. */
function takeUpRuns({ store, followed }: Parts, runCommands: RunCommands, unseen: UnseenRuns, tell: (ended: EndedRun) => void): Disposable {
  if (followed.left().length === 0 && !unseen.any) return { dispose: () => undefined };
  const listener = store.onDidChange(({ phase }) => {
    if (phase !== 'ready') return;
    listener.dispose();
    unseen.takeUp();
    void runCommands.takeUp((run, lines) => tell({ run, lines, exitCode: run.exitCode ?? 255 }));
  });
  return listener;
}

/** The file meant: a file of the explorer, an address as text, else what is in the editor. */
function fileOf(target: unknown): Uri {
  if (target instanceof Uri) return ofNotebook(target);
  if (typeof target === 'string' && target !== '') return Uri.parse(target, true);
  // A notebook whose cell is edited is in front with that cell.
  const uri = window.activeNotebookEditor?.notebook.uri ?? window.activeTextEditor?.document.uri;
  if (uri === undefined) throw new Error(l10n.t('Open the file to run, or choose it in the explorer.'));
  return uri;
}

/** The notebook for one of its cells, which the editor takes for documents of their own. */
const ofNotebook = (uri: Uri): Uri => (uri.scheme === CELL ? (workspace.notebookDocuments.find((notebook) => notebook.getCells().some(({ document }) => document.uri.toString() === uri.toString()))?.uri ?? uri) : uri);

const CELL = 'vscode-notebook-cell';

function readChoices(value: unknown): RunChoices {
  const { pod, command: line, conflicts, confirmed, args } = choices(value) ?? {};
  return {
    args: typeof args === 'string' ? args : undefined,
    pod: typeof pod === 'string' && pod !== '' ? pod : undefined,
    command: typeof line === 'string' && line.trim() !== '' ? line : undefined,
    conflicts: conflicts === 'overwrite' || conflicts === 'keep' ? conflicts : undefined,
    confirmed: confirmed === true,
  };
}

function readCommandChoices(value: unknown): CommandChoices {
  const { cwd, title, group, folder } = choices(value) ?? {};
  const text = (one: unknown): string | undefined => (typeof one === 'string' && one !== '' ? one : undefined);
  return { cwd: text(cwd), title: text(title), group: text(group), folder: text(folder) };
}

/** From a folder or file of a pod in the explorer, the shell starts there. */
async function folderOf(target: unknown): Promise<string | undefined> {
  if (!(target instanceof Uri) || (target.scheme !== SCHEME && target.scheme !== SCHEME_READONLY)) return undefined;
  const { type } = await workspace.fs.stat(target);
  return type & FileType.Directory ? target.path : Uri.joinPath(target, '..').path;
}

const isFolder = async (uri: Uri): Promise<boolean> =>
  workspace.fs.stat(uri).then(
    ({ type }) => (type & FileType.Directory) !== 0,
    // What is wrong with it is said by what runs it.
    () => false,
  );

async function askCommand(where: string, last: string | undefined, prompt = l10n.t('Runs in the pod’s mount path; its output comes in a terminal.')): Promise<string> {
  const line = await ask.text({ title: l10n.t('Run Command on {0}', where), prompt, placeHolder: 'nvidia-smi', value: last ?? '' });
  if (line === undefined || line.trim() === '') throw new CancelledError();
  return line;
}
