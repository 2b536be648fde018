import { EventEmitter, l10n, type Pseudoterminal, type TerminalDimensions } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { PodUnavailableError } from '../../pods/contracts';
import { ClipboardGuard } from '../../runs/clipboardGuard';
import { PodShell, type PodShellState, type ShellSession } from '../../runs/podShell';
import { defaultSize } from '../../runs/tty';
import { showError } from '../commands/command';
import { explain } from '../errorWords';
import { CLEAR_LINE, note, RESET_MODES, warning } from './lines';

export interface TerminalPod {
  readonly id: string;
  /** What the person calls it now. */
  name(): string;
  /** Somebody types. */
  readonly used?: () => void;
}

/** A shell on a pod in the editor's terminal. It says when the connection goes, and has a new shell once the pod is back. */
export class PodTerminal implements Pseudoterminal {
  readonly #write = new EventEmitter<string>();
  readonly #close = new EventEmitter<number | void>();
  readonly #name = new EventEmitter<string>();
  #shell: PodShell | undefined;
  #clipboard = new ClipboardGuard();
  /** What was said last about why there is no shell, so that it is said once. */
  #said = '';
  #waiting = false;
  /** The line that says so is on the screen, to be taken away. */
  #connecting = false;

  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;
  readonly onDidChangeName = this.#name.event;

  constructor(
    private readonly pod: TerminalPod,
    private readonly session: () => ShellSession,
    private readonly log: Logger,
    private readonly cwd?: string,
  ) {}

  open(size: TerminalDimensions | undefined): void {
    const shell = new PodShell(this.session(), { cwd: this.cwd, size: size === undefined ? defaultSize : { cols: size.columns, rows: size.rows } });
    this.#shell = shell;
    shell.onOutput((text) => this.#write.fire(this.#clipboard.filter(text)));
    shell.onState((state) => this.#tell(state));
    this.#sayConnecting();
    shell.start();
  }

  close(): void {
    this.#shell?.dispose();
    this.#shell = undefined;
  }

  handleInput(text: string): void {
    this.pod.used?.();
    this.#shell?.input(text);
  }

  setDimensions({ columns, rows }: TerminalDimensions): void {
    this.#shell?.resize({ cols: columns, rows });
  }

  #sayConnecting(): void {
    this.#said = '';
    this.#connecting = true;
    this.#write.fire(note(l10n.t('Connecting to {0}…', this.pod.name())).trimEnd());
  }

  #unsayConnecting(): void {
    if (this.#connecting) this.#write.fire(CLEAR_LINE);
    this.#connecting = false;
  }

  #tell(state: PodShellState): void {
    const name = this.pod.name();
    switch (state.kind) {
      case 'connecting':
        return this.#sayConnecting();
      case 'connected':
        this.#clipboard = new ClipboardGuard();
        this.#unsayConnecting();
        this.#said = '';
        this.#waiting = false;
        if (state.again) this.#write.fire(note(l10n.t('Connected to {0} again. This is a new shell; what ran in the old one ended with its connection.', name)));
        if (state.proxy) this.#write.fire(note(l10n.t('{0} is reached through RunPod’s SSH proxy: a terminal works; files and Run on RunPod need the port 22/tcp exposed.', name)));
        return this.#name.fire(name);
      case 'waiting':
        return this.#tellWaiting(state.lost, state.reason);
      case 'proxy-ended':
        return this.#write.fire(RESET_MODES + warning(l10n.t('The connection through RunPod’s SSH proxy has ended. Press Enter for a new one.')));
      case 'exited':
        return this.#close.fire(state.code);
    }
  }

  #tellWaiting(lost: boolean, reason: unknown): void {
    const name = this.pod.name();
    this.#unsayConnecting();
    if (!this.#waiting) {
      this.#waiting = true;
      if (lost) {
        this.#write.fire(RESET_MODES + warning(l10n.t('The connection to {0} is lost. A new shell opens here when it is back; Enter tries now.', name)));
        this.#name.fire(l10n.t('{0} (disconnected)', name));
      }
    }
    if (reason === undefined || isCancelled(reason)) return;
    const { message, action } = explain(reason);
    if (message === this.#said) return;
    // What a button can mend is offered as one; a terminal has only words.
    if (action?.command === 'runpod.addSshKey') void showError(reason);
    this.#said = message;
    this.log.warn(`Terminal on pod ${this.pod.id}: ${messageOf(reason)}`);
    const comesBack = reason instanceof PodUnavailableError && (reason.code === 'stopped' || reason.code === 'starting');
    const next = comesBack ? l10n.t('A shell opens here once it runs.') : l10n.t('Enter tries again.');
    this.#write.fire(warning(lost ? message : `${message} ${next}`));
  }
}
