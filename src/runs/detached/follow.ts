import type { ClientChannel } from 'ssh2';
import type { Disposable } from '../../base/disposable';
import { Emitter, type Event } from '../../base/emitter';
import { isCancelled } from '../../base/errors';
import { backoff, sleep } from '../../base/time';
import { PodUnavailableError } from '../../pods/contracts';
import type { TtySize } from '../tty';
import { RunError } from './errors';
import { ALIVE, layout, underSh, type RunRef, type TerminalKind } from './layout';
import { interruptRun } from './stop';
import type { RunSession } from './session';

/** How a run ended. `lost`: without a word; `gone`: its folder is not there (any more). */
export type RunEnd = { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'lost' } | { readonly kind: 'gone' };

export type FollowState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'following'; /** An earlier connection was lost. */ readonly again: boolean }
  /** The connection is away; the run goes on, and so does this, by itself. */
  | { readonly kind: 'waiting'; readonly reason: unknown };

/** Output is passed on no faster: a terminal in the editor takes what it is given without saying when it has had enough. */
const PACE = { bytes: 1 << 20, ms: 100 } as const;
const RESIZE_MS = 100;
const RETRY = { base: 200, cap: 15_000 } as const;
/** What is typed while the connection is away waits for it, up to a point. */
const TYPE_AHEAD = 64 * 1024;

/**
 * The output of a run from an exact byte on, for as long as somebody looks: over as many connections as it takes no byte is
 * missed or told twice. What is typed goes to the run.
 */
export class RunFollower implements Disposable {
  readonly #states = new Emitter<FollowState>();
  readonly #ended = new AbortController();
  #offset: number;
  #channel: ClientChannel | undefined;
  #sink: ((bytes: Buffer) => void) | undefined;
  #typed: Buffer[] = [];
  #size: TtySize | undefined;
  #sizeTimer: NodeJS.Timeout | undefined;
  #passed = 0;
  #paceTimer: NodeJS.Timeout | undefined;
  #connections = 0;

  readonly onState: Event<FollowState> = this.#states.event;

  constructor(
    private readonly session: RunSession,
    private readonly run: RunRef & { readonly terminal: TerminalKind },
    options: { /** Bytes of the output to leave out. */ readonly offset?: number } = {},
  ) {
    this.#offset = options.offset ?? 0;
  }

  /** How much of the output has been passed on or left out, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Passes everything on, in order; resolves after the last byte. To be called once.
   * @throws PodUnavailableError when the pod is stopped or gone, and the run with it; CancelledError after `dispose`
   */
  async follow(sink: (bytes: Buffer) => void): Promise<RunEnd> {
    this.#sink = sink;
    const { signal } = this.#ended;
    const hold = this.session.hold();
    try {
      for (let failures = 0; ; ) {
        const before = this.#offset;
        try {
          const end = await this.#once(signal);
          if (end !== undefined) return end;
          // Cut off: the next connection goes on at the next byte.
          if (this.#offset > before) failures = 0;
          signal.throwIfAborted();
          this.#states.fire({ kind: 'waiting', reason: this.session.reason });
        } catch (error) {
          if (signal.aborted || isCancelled(error) || error instanceof RunError) throw error;
          if (error instanceof PodUnavailableError && (error.code === 'stopped' || error.code === 'gone' || error.code === 'no-api-key')) throw error;
          this.#states.fire({ kind: 'waiting', reason: error });
        }
        await this.#untilWorthTrying(failures++, signal);
      }
    } finally {
      hold.dispose();
      this.dispose();
    }
  }

  /** Types text, as it comes from a keyboard. */
  input(text: string): void {
    if (this.run.terminal === 'none') {
      // Nobody turns keys into lines and signals there.
      if (text === '\x03') return void interruptRun(this.session, this.run, this.#ended.signal).catch(() => undefined);
      text = text.replaceAll('\r', '\n');
    }
    const bytes = Buffer.from(text);
    if (this.#channel !== undefined) this.#channel.write(bytes);
    else if (this.#typed.reduce((sum, { length }) => sum + length, 0) + bytes.length <= TYPE_AHEAD) this.#typed.push(bytes);
  }

  resize(size: TtySize): void {
    this.#size = size;
    if (this.run.terminal === 'none') return;
    clearTimeout(this.#sizeTimer);
    this.#sizeTimer = setTimeout(() => void this.#tellSize(), RESIZE_MS);
  }

  /** Looks away; the run goes on. */
  dispose(): void {
    this.#ended.abort();
    clearTimeout(this.#sizeTimer);
    clearTimeout(this.#paceTimer);
    this.#sink = undefined;
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel !== undefined) leave(channel);
    this.#states.dispose();
  }

  /** One connection's worth. `undefined`: it was cut off. */
  async #once(signal: AbortSignal): Promise<RunEnd | undefined> {
    if (this.#connections === 0) this.#states.fire({ kind: 'connecting' });
    const link = await this.session.link(signal);
    const channel = await link.exec(underSh(followScript(this.run, this.session.pod?.mount?.path, this.#offset)), { signal });
    this.#channel = channel;
    this.#states.fire({ kind: 'following', again: this.#connections++ > 0 });
    if (this.#size !== undefined) this.resize(this.#size);
    for (const bytes of this.#typed.splice(0)) channel.write(bytes);
    let last = '';
    channel.stderr.on('data', (bytes: Buffer) => (last = (last + bytes.toString()).slice(-500)));
    channel.on('data', (bytes: Buffer) => this.#receive(channel, bytes));
    await new Promise<void>((resolve) => channel.once('close', () => resolve()));
    if (this.#channel === channel) this.#channel = undefined;
    signal.throwIfAborted();
    const [, word, code, size] = /^run-end (\w+) (\d*) (\d*)$/m.exec(last) ?? [];
    if (word === 'gone') return { kind: 'gone' };
    // The last word tells how much there is, should what carried it have ended early.
    if (word === undefined || Number(size) > this.#offset) return undefined;
    return word === 'exited' ? { kind: 'exited', code: Number(code) } : { kind: 'lost' };
  }

  #receive(channel: ClientChannel, bytes: Buffer): void {
    if (this.#channel !== channel) return;
    this.#offset += bytes.length;
    this.#passed += bytes.length;
    this.#paceTimer ??= setTimeout(() => {
      this.#paceTimer = undefined;
      this.#passed = 0;
      this.#channel?.resume();
    }, PACE.ms);
    if (this.#passed > PACE.bytes) channel.pause();
    this.#sink?.(bytes);
  }

  async #tellSize(): Promise<void> {
    if (this.#size === undefined || this.session.state !== 'connected') return;
    const { rows, cols } = this.#size;
    const lines = [
      ...layout(this.run.podId, this.session.pod?.mount?.path, this.run.id),
      `echo ${rows} ${cols} >"$here/size" && read -r tty <"$here/tty" && stty rows ${rows} cols ${cols} <"$tty"`,
    ];
    // A size that was not told is told again with the next connection.
    await this.session.run(underSh(lines), { signal: this.#ended.signal, deadlineMs: 10_000 }).catch(() => undefined);
  }

  /** Until the pod is connected again or some time has passed, whichever is first. */
  async #untilWorthTrying(failures: number, signal: AbortSignal): Promise<void> {
    if (failures === 0) return;
    const wait = new AbortController();
    const watch = this.session.onDidChange(({ state }) => state === 'connected' && wait.abort());
    try {
      await sleep(backoff(failures, RETRY.base, RETRY.cap), AbortSignal.any([signal, wait.signal])).catch(() => undefined);
    } finally {
      watch.dispose();
    }
    signal.throwIfAborted();
  }
}

/** Closes a channel whose command ends by itself when nobody listens any more; what is on the way is dropped. */
function leave(channel: ClientChannel): void {
  channel.removeAllListeners('data');
  channel.stderr.removeAllListeners('data');
  channel.resume();
  channel.stderr.resume();
  channel.close();
}

/**
 * Prints the output from a byte on until the run has ended and all is told, then says on standard error how it ended. Ends
 * with its channel: a shell beside it passes on what is typed and waits for the end of that.
 */
function followScript({ podId, id }: RunRef, mount: string | undefined, offset: number): string[] {
  return [
    ...layout(podId, mount, id),
    ...ALIVE,
    `off=${offset}`,
    '[ -f "$dir/out" ] || { echo "run-end gone  " >&2; exit 0; }',
    'exec 3<&0 </dev/null',
    'over() { [ -f "$dir/exit" ] || [ -f "$here/exit" ] || ! alive "$dir"; }',
    // `copy UNTIL`: from $off on; seeks, where tail of BusyBox would read all that comes before.
    'copy() { dd if="$dir/out" bs=65536 skip=$((off / 65536)) 2>/dev/null | tail -c +$((off % 65536 + 1)) | head -c $(($1 - off)) || exit 1; off=$1; }',
    // tail takes a file that is shorter than where it should begin for one that was cut, and begins at its beginning.
    'until [ "$(wc -c <"$dir/out")" -ge $off ] || over; do sleep 0.1 2>/dev/null || sleep 1; done',
    'if ! over && tail --version 2>/dev/null | grep -q coreutils; then',
    '  tail -c +$((off + 1)) -f -s 0.1 --pid="$pid" "$dir/out" 2>/dev/null 3<&- & teller=$!',
    '  { cat <&3 1<>"$here/in"; [ ! -p "$here/in" ] || kill $teller; } 2>/dev/null & typist=$!',
    '  exec 3<&-',
    '  wait $teller',
    '  kill $typist 2>/dev/null',
    'else',
    '  { if [ -p "$here/in" ]; then cat <&3 1<>"$here/in"; else cat <&3 >/dev/null; fi; kill $$; } 2>/dev/null & typist=$!',
    '  exec 3<&-',
    '  while :; do',
    '    ended=; ! over || ended=yes',
    '    size=$(wc -c <"$dir/out")',
    '    if [ "$size" -gt $off ]; then copy "$size"; elif [ -n "$ended" ]; then break; else sleep 0.2 2>/dev/null || sleep 1; fi',
    '  done',
    '  kill $typist 2>/dev/null',
    'fi',
    // Somebody has removed its folder meanwhile; where it has ended, that much is known.
    'if [ ! -f "$dir/out" ] && [ ! -f "$here/exit" ]; then echo "run-end gone  " >&2; exit 0; fi',
    'size=$(wc -c 2>/dev/null <"$dir/out")',
    'if [ -f "$dir/exit" ]; then read -r code rest <"$dir/exit"; elif [ -f "$here/exit" ]; then read -r code rest <"$here/exit"; else echo "run-end lost  $((size))" >&2; exit 0; fi',
    'echo "run-end exited $code $((size))" >&2',
  ];
}
