import { StringDecoder } from 'node:string_decoder';
import type { ClientChannel } from 'ssh2';
import { sleep } from '../base/time';
import type { CommandEnd } from './exit';

export interface TtySize {
  readonly cols: number;
  readonly rows: number;
}

/** What a terminal gets where nobody has said how big it is. */
export const defaultSize: TtySize = { cols: 80, rows: 24 };
export const TERM = 'xterm-256color';
/** Said again to the program, for a `.bashrc` that runs before it may have exported PID 1's TERM over the terminal's. */
export const terminalEnvironment = { TERM, COLORTERM: 'truecolor' } as const;

/**
 * A paste goes out in pieces with a breath between them. While a program reads without echo (a password prompt), OpenSSH
 * answers each write to the terminal with a dummy packet of the same size, and ssh2 ends the whole connection at a packet
 * of more than 35,000 bytes; so no more than about half of that should ever lie before the program at once.
 */
const PIECE = { bytes: 16 * 1024, ms: 10 } as const;
/**
 * Output is passed on no faster than this. A terminal in the editor takes what it is given without saying when it has had
 * enough, so a program that prints without end would fill the memory with what nobody has seen yet.
 */
const PACE = { bytes: 1 << 20, ms: 100 } as const;

/** A program in a pseudoterminal on a pod, in text: UTF-8 both ways, wherever the packets are cut. */
export class Tty {
  readonly #channel: ClientChannel;
  readonly #decoder = new StringDecoder('utf8');
  #sink: ((text: string) => void) | undefined;
  #typed: Buffer[] = [];
  #sending = false;
  #halfCharacter = '';
  #passed = 0;
  #paceTimer: NodeJS.Timeout | undefined;
  #over = false;

  /** Settles once, after the last output has been read; never rejects. */
  readonly ended: Promise<CommandEnd>;

  constructor(channel: ClientChannel) {
    this.#channel = channel;
    this.ended = new Promise((resolve) =>
      // The exit event may have passed before anybody could listen; the close event tells the same and waits for the reader.
      channel.once('close', (code?: number | null, signal?: string) => {
        this.#over = true;
        clearTimeout(this.#paceTimer);
        const rest = this.#decoder.end();
        if (rest !== '') this.#sink?.(rest);
        resolve({ code: code ?? undefined, signal });
      }),
    );
  }

  /** Hands over everything the program prints, in order and from its beginning. To be called once. */
  read(sink: (text: string) => void): void {
    this.#sink = sink;
    this.#channel.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  /** Types text, however much; it goes out as fast as the pod takes it. */
  input(text: string): void {
    if (this.#over) return;
    let whole = this.#halfCharacter + text;
    this.#halfCharacter = '';
    if (/[\ud800-\udbff]$/.test(whole)) {
      this.#halfCharacter = whole.slice(-1);
      whole = whole.slice(0, -1);
    }
    const bytes = Buffer.from(whole);
    for (let at = 0; at < bytes.length; at += PIECE.bytes) this.#typed.push(bytes.subarray(at, at + PIECE.bytes));
    if (!this.#sending) void this.#send();
  }

  resize(size: TtySize): void {
    if (!this.#over) this.#channel.setWindow(size.rows, size.cols, 0, 0);
  }

  /**
   * Takes the terminal away: the program gets HUP, as when a window is closed (and TERM before it where the server passes
   * signals on; OpenSSH does not for root). What it still prints is lost.
   */
  hangUp(): void {
    if (this.#over) return;
    this.#sink = undefined;
    // Nothing is closed before it is read.
    clearTimeout(this.#paceTimer);
    this.#channel.removeAllListeners('data');
    this.#channel.resume();
    this.#channel.signal('TERM');
    this.#channel.close();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#typed.length > 0 && !this.#over) {
      if (!this.#channel.write(this.#nextPiece())) await new Promise<void>((resolve) => this.#channel.once('drain', resolve).once('close', () => resolve()));
      await sleep(PIECE.ms);
    }
    this.#sending = false;
  }

  #nextPiece(): Buffer {
    let size = 0;
    const count = this.#typed.findIndex((bytes) => (size += bytes.length) > PIECE.bytes);
    return Buffer.concat(this.#typed.splice(0, count < 0 ? this.#typed.length : Math.max(1, count)));
  }

  #receive(bytes: Buffer): void {
    this.#passed += bytes.length;
    this.#paceTimer ??= setTimeout(() => {
      this.#paceTimer = undefined;
      this.#passed = 0;
      this.#channel.resume();
    }, PACE.ms);
    if (this.#passed > PACE.bytes) this.#channel.pause();
    const text = this.#decoder.write(bytes);
    if (text !== '') this.#sink?.(text);
  }
}
