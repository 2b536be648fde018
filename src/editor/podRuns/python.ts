import { l10n, ThemeIcon, window, type Disposable, type Terminal, type TextEditor } from 'vscode';
import { CancelledError } from '../../base/errors';
import { forPythonPrompt } from '../../runs/pythonText';
import type { Pod } from '../../runpod/types';
import { command, Targets } from '../commands/command';
import { SCHEME, SCHEME_READONLY } from '../ids';
import type { Parts } from '../parts';
import { pythonFor } from '../tasks/howToRun';
import { podNow, type RunParts } from '../tasks/pods';
import type { Runs } from '../tasks/runOnRunPod';
import { RunTerminal } from '../tasks/runTerminal';

/** A prompt without colours and completion of its own, which would take sent text apart. */
const PROMPT_ENVIRONMENT = { PYTHON_BASIC_REPL: '1' } as const;

/** Python's prompt on a pod, one a pod and folder, and what is sent to it. As a run it is there again after a drop. */
export class PythonPrompts {
  readonly #open = new Map<string, Terminal>();
  readonly #targets: Targets;

  constructor(
    private readonly parts: Parts,
    private readonly runParts: RunParts,
    private readonly runs: Runs,
  ) {
    this.#targets = new Targets(parts.store, parts.activePod);
  }

  register(): Disposable[] {
    const { log } = this.parts;
    return [
      command('runpod.openPython', log, async (target): Promise<Terminal> => {
        const pod = await this.#targets.forUse(target, l10n.t('Python on which pod?'), (one) => one.status === 'RUNNING');
        return this.#prompt(pod, undefined);
      }),
      command('runpod.runSelection', log, async (target, text) => this.#send(target, text)),
    ];
  }

  async #send(target: unknown, text: unknown): Promise<unknown> {
    const editor = window.activeTextEditor;
    const said = typeof text === 'string' ? text : editor === undefined ? '' : selectionOf(editor);
    if (said.trim() === '') throw new CancelledError();
    const uri = editor?.document.uri;
    const there = uri?.scheme === SCHEME || uri?.scheme === SCHEME_READONLY ? uri : undefined;
    const pod = await this.#targets.forUse(typeof target === 'string' ? target : there, l10n.t('Run the selection on which pod?'), (one) => one.status === 'RUNNING');
    if (typeof text !== 'string' && editor?.document.languageId === 'shellscript') return this.runs.runCommand(pod.id, said);
    const terminal = await this.#prompt(pod, there?.authority === pod.id ? there.path : undefined);
    terminal.sendText(forPythonPrompt(said).replaceAll('\n', '\r'), false);
    return undefined;
  }

  /** @param file a Python file of the pod, whose folder and environment are taken */
  async #prompt(pod: Pod, file: string | undefined): Promise<Terminal> {
    const folder = file?.slice(0, Math.max(1, file.lastIndexOf('/')));
    const key = `${pod.id} ${folder ?? ''}`;
    const open = this.#open.get(key);
    if (open !== undefined && open.exitStatus === undefined && window.terminals.includes(open)) {
      open.show(true);
      return open;
    }
    const python = file === undefined ? 'python3' : await pythonFor(this.runParts, pod, file, pod.mount?.path ?? '/');
    const name = l10n.t('Python on {0}', pod.name);
    const pty = new RunTerminal(
      async () => ({ session: this.parts.sessions.get(pod.id), command: { command: `${python} -q -i`, cwd: folder, env: PROMPT_ENVIRONMENT }, title: l10n.t('Python'), pod: podNow(this.runParts, pod) }),
      this.runParts,
      name,
      { stays: true },
    );
    const terminal = window.createTerminal({ name, pty, iconPath: new ThemeIcon('snake'), isTransient: true });
    this.#open.set(key, terminal);
    terminal.show(true);
    return terminal;
  }
}

/** What is selected; the line of the cursor where nothing is. */
function selectionOf({ document, selections, selection }: TextEditor): string {
  const selected = selections.filter((one) => !one.isEmpty).map((one) => document.getText(one));
  return selected.length > 0 ? selected.join('\n') : document.lineAt(selection.active.line).text;
}
