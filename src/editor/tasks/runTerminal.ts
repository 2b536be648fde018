import { EventEmitter, l10n, TerminalExitReason, type Pseudoterminal, type TerminalDimensions } from 'vscode';
import { StringDecoder } from 'node:string_decoder';
import { CancelledError, isCancelled, messageOf } from '../../base/errors';
import { sleep, steadyNow } from '../../base/time';
import { PodUnavailableError } from '../../pods/contracts';
import { ClipboardGuard } from '../../runs/clipboardGuard';
import { RunFollower, type RunEnd } from '../../runs/detached/follow';
import { costOf, durationOf, findRun, type RunRecord } from '../../runs/detached/list';
import type { RunSession } from '../../runs/detached/session';
import { stopRun } from '../../runs/detached/stop';
import { LAST_BYTES, LAST_LINES, lastLines } from '../../runs/plainText';
import { defaultSize, type TtySize } from '../../runs/tty';
import { explain } from '../errorWords';
import { note, RESET_MODES, warning } from '../terminal/lines';
import { came, longTime } from '../words';
import { tellInterruptions } from './interruptions';
import { lineWatch, READY } from './ready';
import { startPrepared, type PreparedRun, type RunTerminalParts } from './preparedRun';

/** What the run's terminal ends with where there is no exit code of the command's own. */
const EXIT = { failed: 1, interrupted: 130, connectionLost: 255 } as const;
/** How much of a long output is shown again. */
const REPLAY_BYTES = 8 * 1024 * 1024;
/** A program that minds Ctrl-C has so long for it, and then for TERM, when its task is ended. */
const END = { interruptMs: 2_000, graceSeconds: 3 } as const;

/**
 * The terminal of a run on a pod: its output, its input, and at the end how it went, how long it took and about what it cost.
 * The run does not depend on it: it goes on when the connection, the window or the terminal is closed. Ending its task ends
 * it, first by Ctrl-C.
 */
export class RunTerminal implements Pseudoterminal {
  readonly #write = new EventEmitter<string>();
  readonly #close = new EventEmitter<number>();
  readonly #abort = new AbortController();
  readonly #listeners: ((chunk: string) => void)[] = [];
  readonly #decoder = new StringDecoder('utf8');
  readonly #clipboard = new ClipboardGuard();
  #size: TtySize = defaultSize;
  #run: RunRecord | undefined;
  #session: RunSession | undefined;
  #follower: RunFollower | undefined;
  #recent = '';
  #atLineStart = true;
  #starting = false;
  #closing = false;
  #typed = '';
  #ending = false;
  #left = false;
  #endedWith: { code: number | undefined } | undefined;
  #openedAt = 0;
  #settle: (code: number | undefined) => void = () => {};

  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;
  /** The exit code, once; `undefined` when the run goes on without this terminal. Never rejects. */
  readonly finished = new Promise<number | undefined>((resolve) => (this.#settle = resolve));

  /**
   * @param label the terminal's name, or part of it
   * @param options `stays`: what it shows stays to be read after the end, until a key is pressed; a task's terminal does so by itself
   */
  constructor(
    private readonly prepare: (signal: AbortSignal) => Promise<PreparedRun>,
    private readonly parts: RunTerminalParts,
    private readonly label: string,
    private readonly options: { readonly stays?: boolean } = {},
  ) {}

  open(size: TerminalDimensions | undefined): void {
    this.#openedAt = steadyNow();
    if (size !== undefined) this.#size = { cols: size.columns, rows: size.rows };
    void this.#go();
  }

  /** The terminal is gone. Whether the run is to go with it is for who has closed it to say. */
  close(): void {
    if (this.#endedWith !== undefined) return;
    this.#closing = true;
    if (this.#run !== undefined) void this.#closed(this.#run);
    // Once its start is on the way, the run may be there before its name is.
    else if (!this.#starting) this.#abort.abort();
  }

  handleInput(text: string): void {
    if (this.#endedWith !== undefined) return void (this.options.stays === true && this.#close.fire(0));
    const { attach } = this.#prepared ?? {};
    // Old output is shown again: what the terminal answers to questions in it is no input.
    if (attach !== undefined && this.#follower !== undefined && this.#follower.offset < attach.outputBytes) return;
    if (this.#follower !== undefined) this.#follower.input(text);
    else if (text === '\x03') this.#abort.abort();
    else if (this.#starting) this.#typed += text;
  }

  setDimensions({ columns, rows }: TerminalDimensions): void {
    this.#size = { cols: columns, rows };
    this.#follower?.resize(this.#size);
  }

  #prepared: PreparedRun | undefined;

  async #go(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const prepared = await this.prepare(signal);
      this.#prepared = prepared;
      if (signal.aborted) throw new CancelledError();
      const { session, attach } = prepared;
      this.#session = session;
      this.#say(note(`${prepared.pod().name} ▸ ${attach?.meta.command ?? prepared.command.command}`));
      for (const remark of prepared.remarks ?? []) this.#say(note(remark));
      const run = attach ?? (await this.#start(prepared, signal));
      this.#run = run;
      if (run.terminal === 'none') this.#say(warning(l10n.t('{0} has neither “script” nor python3, so this run has no terminal: no colours, and progress may show late.', prepared.pod().name)));
      const offset = Math.max(0, (attach?.outputBytes ?? 0) - REPLAY_BYTES);
      if (offset > 0) this.#say(note(l10n.t('The first {0} MB are not shown again; they are in the run’s output on the pod.', (offset / 1e6).toFixed(1))));
      const follower = new RunFollower(session, run, { offset });
      this.#follower = follower;
      this.parts.followed.follow({ ref: run, label: this.label });
      this.parts.runBook.note(run);
      if (prepared.readyWhen !== undefined) this.#listeners.push(lineWatch(prepared.readyWhen, () => this.#say(note(`${READY} ${l10n.t('ready')}`))));
      this.parts.observer?.began(run, this.label, (listener) => this.#listeners.push(listener));
      const interruptions = tellInterruptions(follower, () => prepared.pod().name, (line) => this.#say(line));
      void this.finished.then(() => interruptions.dispose());
      follower.resize(this.#size);
      if (this.#typed !== '') follower.input(this.#typed);
      if (this.#closing) void this.#closed(run);
      const end = await follower.follow((bytes) => this.#print(this.#decoder.write(bytes)));
      this.#print(this.#decoder.end());
      await this.#tellEnd(end, run, prepared);
    } catch (error) {
      if (this.#left) return this.#finish(undefined);
      if (isCancelled(error) || signal.aborted) {
        this.#say(note(l10n.t('Cancelled')));
        return this.#finish(EXIT.interrupted);
      }
      this.parts.log.error(`Run: ${messageOf(error)}`);
      if (this.#run !== undefined) {
        this.parts.followed.leave(this.#run);
        this.#write.fire(RESET_MODES);
        const stopped = error instanceof PodUnavailableError && error.code === 'stopped';
        this.#say(warning(stopped ? l10n.t('{0} is stopped, and the run ended with it. What it printed is kept with the pod’s volume.', this.#prepared?.pod().name ?? '') : explain(error).message));
        return this.#finish(EXIT.connectionLost);
      }
      this.#say(warning(explain(error).message));
      this.#finish(EXIT.failed);
    }
  }

  async #start(prepared: PreparedRun, signal: AbortSignal): Promise<RunRecord> {
    // The mount path is known once there is a connection.
    await prepared.session.link(signal);
    this.#starting = true;
    return startPrepared(prepared, this.#size, signal);
  }

  #print(text: string): void {
    if (text === '') return;
    const shown = this.#run?.terminal === 'none' ? text.replace(/\r?\n/g, '\r\n') : text;
    this.#atLineStart = text.endsWith('\n');
    this.#recent = (this.#recent + text).slice(-LAST_BYTES);
    this.#write.fire(this.#clipboard.filter(shown));
    for (const listener of this.#listeners) listener(text);
  }

  #say(line: string): void {
    this.#write.fire((this.#atLineStart ? '' : '\r\n') + line);
    this.#atLineStart = true;
  }

  async #tellEnd(end: RunEnd, run: RunRecord, { session, pod }: PreparedRun): Promise<void> {
    const name = pod().name;
    // The pod knows best when it began and ended; without an answer this window's own clock will do.
    const record = await findRun(session, run.id, AbortSignal.timeout(5_000)).catch((): RunRecord => ({ ...run, state: end.kind === 'exited' ? 'exited' : 'lost', ...(end.kind === 'exited' ? { exitCode: end.code } : {}), endedAt: run.endedAt ?? Date.now() }));
    const code = end.kind === 'exited' ? end.code : EXIT.connectionLost;
    if (end.kind === 'gone') {
      this.parts.followed.leave(run);
      this.#say(warning(l10n.t('The run is not on {0} any more.', name)));
      return this.#finish(code);
    }
    this.parts.runBook.note(record);
    this.parts.followed.end({ run: record, lines: lastLines(this.#recent, LAST_LINES), exitCode: code });
    if (end.kind === 'lost') {
      this.#write.fire(RESET_MODES);
      this.#say(warning(l10n.t('The run ended without a word: {0} was stopped or restarted, or everything of it was killed (for want of memory, perhaps).', name)));
      return this.#finish(code);
    }
    const facts = [seconds(durationOf(record)), came(costOf(record))].filter(Boolean).join(', ');
    this.#say((code === 0 ? note : warning)(l10n.t('Finished with exit code {0} in {1}', code, facts)));
    if (record.outputCut === true) this.#say(warning(l10n.t('The disk of {0} was full meanwhile, so part of the output is missing above and on the pod. The exit code is the program’s own.', name)));
    this.#finish(code);
  }

  /** After the terminal was closed while its run went on. */
  async #closed(run: RunRecord): Promise<void> {
    const reason = await this.parts.followed.closedBy(this.label);
    if (this.#endedWith !== undefined) return;
    if (reason === TerminalExitReason.Extension || reason === TerminalExitReason.Unknown) return this.#endRun(run);
    // The window closes: it finds its runs again when it opens.
    if (reason === TerminalExitReason.Shutdown) return;
    this.#left = true;
    this.parts.followed.leave(run);
    this.#follower?.dispose();
    this.parts.observer?.leftRunning(run);
  }

  /** Its task was ended, and so is the run: first by Ctrl-C, for programs that put things in order then. */
  async #endRun(run: RunRecord): Promise<void> {
    if (this.#ending || this.#session === undefined) return;
    this.#ending = true;
    this.#follower?.input('\x03');
    const gone = await Promise.race([this.finished.then(() => true), sleep(END.interruptMs).then(() => false)]);
    if (!gone) await stopRun(this.#session, run, { graceSeconds: END.graceSeconds }).catch((error: unknown) => this.parts.log.error(`Run ${run.id}: ${messageOf(error)}`));
  }

  /** Once, after all output. */
  #finish(code: number | undefined): void {
    if (this.#endedWith !== undefined) return;
    this.#endedWith = { code };
    this.#settle(code);
    if (code === undefined) return;
    if (this.options.stays === true) return this.#say(note(l10n.t('Press any key to close this terminal.')));
    // The editor calls an end within its first half second a failure to launch, whatever the command did.
    const wait = code === 0 ? 0 : Math.max(0, LAUNCH_MS - (steadyNow() - this.#openedAt));
    setTimeout(() => this.#close.fire(code), wait);
  }
}

/** How long the editor takes a terminal for being launched, with some room. */
const LAUNCH_MS = 1500;

/** `0.4 s` for what is over in a moment, else in whole seconds and more. */
const seconds = (ms: number): string => (ms < 9_950 ? l10n.t('{0} s', (ms / 1000).toFixed(1)) : longTime(ms));
