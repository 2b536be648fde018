import { EventEmitter, l10n, type Pseudoterminal, type TerminalDimensions } from 'vscode';
import { CancelledError, isCancelled, messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { exitCodeOf } from '../../runs/exit';
import { startCommand, type CommandSession, type PodCommand } from '../../runs/podCommand';
import { defaultSize, type Tty, type TtySize } from '../../runs/tty';
import { explain } from '../errorWords';
import { note, RESET_MODES, warning } from '../terminal/lines';
import { longTime, money } from '../words';

/** A command that is ready to be started. */
export interface PreparedRun {
  readonly session: CommandSession;
  readonly command: PodCommand;
  /** Asked when the command has ended: the pod's name, and its rate in USD per hour where it is known. */
  readonly pod: () => { readonly name: string; readonly costPerHour: number | undefined };
  /** Told before the command's output. */
  readonly remarks?: readonly string[];
}

/** What the run's terminal ends with where there is no exit code of the command's own. */
const EXIT = { failed: 1, interrupted: 130, connectionLost: 255 } as const;

/**
 * The terminal of a command on a pod: its output, its input, and at the end how it went, how long it took and about what it
 * cost. Closing it ends the command, first by Ctrl-C.
 */
export class RunTerminal implements Pseudoterminal {
  readonly #write = new EventEmitter<string>();
  readonly #close = new EventEmitter<number>();
  readonly #abort = new AbortController();
  #size: TtySize = defaultSize;
  #tty: Tty | undefined;
  #closing = false;
  #endedWith: number | undefined;
  #openedAt = 0;
  #settle: (code: number) => void = () => {};

  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;
  /** The exit code, once; never rejects. */
  readonly finished = new Promise<number>((resolve) => (this.#settle = resolve));

  constructor(
    private readonly prepare: (signal: AbortSignal) => Promise<PreparedRun>,
    private readonly log: Logger,
  ) {}

  open(size: TerminalDimensions | undefined): void {
    this.#openedAt = Date.now();
    if (size !== undefined) this.#size = { cols: size.columns, rows: size.rows };
    void this.#run();
  }

  /** The person has closed the terminal or ended the task. */
  close(): void {
    this.#closing = true;
    // A command that has begun is asked to end; the signal would take its terminal away at once.
    if (this.#tty !== undefined) void this.#tty.interrupt();
    else this.#abort.abort();
  }

  handleInput(text: string): void {
    if (this.#tty !== undefined) this.#tty.input(text);
    else if (text === '\x03') this.#abort.abort();
  }

  setDimensions({ columns, rows }: TerminalDimensions): void {
    this.#size = { cols: columns, rows };
    this.#tty?.resize(this.#size);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const run = await this.prepare(signal);
      if (signal.aborted) throw new CancelledError();
      this.#write.fire(note(`${run.pod().name} ▸ ${run.command.command}`));
      for (const remark of run.remarks ?? []) this.#write.fire(note(remark));
      const tty = await startCommand(run.session, run.command, this.#size, signal);
      this.#tty = tty;
      const started = Date.now();
      let atLineStart = true;
      tty.read((text) => {
        atLineStart = text.endsWith('\n');
        this.#write.fire(text);
      });
      tty.resize(this.#size);
      const code = exitCodeOf(await tty.ended);
      const { name, costPerHour } = run.pod();
      const took = Date.now() - started;
      if (code === undefined && this.#closing) return this.#finish(EXIT.interrupted);
      if (code === undefined) {
        this.#write.fire(RESET_MODES + warning(l10n.t('The connection to {0} was lost after {1}, and the command ended with it. Run it again once the pod is back.', name, seconds(took))));
        return this.#finish(EXIT.connectionLost);
      }
      const cost = costPerHour === undefined ? undefined : (took / 3_600_000) * costPerHour;
      const facts = [seconds(took), ...(cost === undefined || cost === 0 ? [] : [money(cost, { estimate: cost >= 0.01 })])].join(', ');
      this.#write.fire(`${atLineStart ? '' : '\r\n'}${(code === 0 ? note : warning)(l10n.t('Finished with exit code {0} in {1}', code, facts))}`);
      this.#finish(code);
    } catch (error) {
      if (isCancelled(error) || signal.aborted) {
        this.#write.fire(note(l10n.t('Cancelled')));
        return this.#finish(EXIT.interrupted);
      }
      this.log.error(`Run: ${messageOf(error)}`);
      this.#write.fire(warning(explain(error).message));
      this.#finish(EXIT.failed);
    }
  }

  /** Once, after all output. */
  #finish(code: number): void {
    if (this.#endedWith !== undefined) return;
    this.#endedWith = code;
    this.#settle(code);
    // The editor calls an end within its first half second a failure to launch, whatever the command did.
    const wait = code === 0 ? 0 : Math.max(0, LAUNCH_MS - (Date.now() - this.#openedAt));
    setTimeout(() => this.#close.fire(code), wait);
  }
}

/** How long the editor takes a terminal for being launched, with some room. */
const LAUNCH_MS = 700;

/** `0.4 s` for what is over in a moment, else in whole seconds and more. */
const seconds = (ms: number): string => (ms < 9_950 ? l10n.t('{0} s', (ms / 1000).toFixed(1)) : longTime(ms));
