import { CancelledError } from '../../base/errors';
import { FileError, StatusError } from '../errors';
import type { CallOptions } from '../requests';
import { type Room, toFileError } from '../room';
import type { SftpSession } from '../sftp';
import { localError, type PlannedFile } from './contract';
import { inParallel } from './parallel';
import { Ranges } from './ranges';
import { type ReadAt, seemAlike } from './spotCheck';
import { isLostLink, steadily, type Watch } from './steadily';
import { type Batch, bigFile, type Tally } from './tally';

/** Bytes that may be missing before the end of an unfinished file: requests of several channels arrive in any order. */
const slack = 32 * 1024 * 1024;

/** The file is not what it was when it was read. */
export class ChangedError extends Error {}

/** One file on its way, under a temporary name until all of it is there and checked. */
export interface Move {
  readonly file: PlannedFile;
  readonly temp: string;
  size: number;
  mtimeMs: number;
  /** What has not been moved yet. */
  ranges: Ranges;
  /** Bytes that count in the tally. */
  moved: number;
  state: 'open' | 'moved' | 'changed' | 'failed' | 'placed';
  /** Something may be under the temporary name. */
  begun: boolean;
}

/** Files that are moved, checked and placed together; whatever the link does, each goes on where it stopped. */
export abstract class MovingBatch<M extends Move> {
  /** For every request that a cancelled transfer need not wait for. */
  protected readonly call: CallOptions;

  protected constructor(
    readonly room: Room,
    readonly batch: Batch,
    readonly tally: Tally,
    readonly watch: Watch,
    readonly moves: readonly M[],
  ) {
    this.call = watch.signal === undefined ? {} : { signal: watch.signal };
  }

  get #isUpload(): boolean {
    return this.tally.plan.direction === 'upload';
  }

  async run(): Promise<void> {
    try {
      // What has changed while it was read is read once more, and then given up.
      for (let round = 0; round < 2 && this.in('open', 'changed').length > 0; round++) {
        for (const move of this.in('changed')) this.#startOver(move);
        await this.steadily(async (session) => {
          await inParallel(this.in('open'), this.batch.atOnce, (move) => this.#attempt(session, move, round > 0));
        });
        await this.#checkMoved();
      }
      for (const { file } of this.in('changed')) this.tally.failed.push({ path: file.from, error: new FileError('failure', file.from, 'it changed while it was read') });
      await this.placeAll();
    } catch (error) {
      // Of a lost link big files are left, for another attempt to go on with.
      await this.clean(this.#unplaced(isLostLink(error)));
      throw localError(error, this.moves[0]?.file.to ?? '');
    }
    await this.clean(this.#unplaced(false));
  }

  /** Moves what is left of one file to its temporary name, with its mode and time. @param anew for the second time: nothing of the first is kept */
  protected abstract move(session: SftpSession, move: M, anew: boolean): Promise<void>;
  /** Marks as changed what is not the same on both sides. */
  protected abstract check(moved: readonly M[]): Promise<void>;
  /** Gives what is moved and checked its names. */
  protected abstract placeAll(): Promise<void>;
  /** Removes temporary files. */
  protected abstract clean(unplaced: readonly M[]): Promise<void>;
  /** The server refused one file: why, in the end. */
  protected abstract whyRefused(session: SftpSession, move: M, refusal: StatusError): Promise<unknown>;

  protected in(...states: readonly Move['state'][]): M[] {
    return this.moves.filter(({ state }) => states.includes(state));
  }

  protected steadily<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    const file = this.moves[0]?.file;
    return steadily(this.room, file === undefined ? '/' : this.#isUpload ? file.to : file.from, this.watch, work);
  }

  /**
   * How much of a big file that an earlier transfer has begun, and that has so many bytes by now, can be kept: what is certainly
   * there, where its hash will tell, or where it agrees with the source in samples.
   */
  protected async sureOf(bytes: number, here: ReadAt, there: ReadAt): Promise<number> {
    const sure = Math.max(0, bytes - slack);
    return sure === 0 || (await this.room.sessions.hasShell()) || (await seemAlike(sure, here, there)) ? sure : 0;
  }

  /** The first `sure` bytes are there from an earlier transfer. */
  protected goOnFrom(move: M, sure: number): void {
    move.begun = true;
    move.ranges = new Ranges(sure, move.size);
    move.moved = sure;
    this.tally.correct(sure);
  }

  protected arrived(move: M, bytes: number): void {
    move.moved += bytes;
    this.tally.moved(bytes, move.file);
  }

  protected placed(move: M): void {
    move.state = 'placed';
    this.tally.files++;
    this.tally.tell();
  }

  protected failed(move: M, error: unknown): void {
    this.tally.fail(move.file, error);
    move.state = 'failed';
  }

  #startOver(move: M): void {
    this.tally.correct(-move.moved);
    move.moved = 0;
    move.ranges = new Ranges(0, move.size);
    move.state = 'open';
    move.begun = false;
  }

  async #attempt(session: SftpSession, move: M, anew: boolean): Promise<void> {
    try {
      await this.move(session, move, anew);
      move.state = 'moved';
    } catch (error) {
      if (error instanceof ChangedError) {
        move.state = 'changed';
        return;
      }
      if (isLostLink(error) || error instanceof CancelledError) throw error;
      this.failed(move, error instanceof StatusError ? await this.whyRefused(session, move, error) : localError(error, this.#isUpload ? move.file.from : move.file.to));
    }
  }

  async #checkMoved(): Promise<void> {
    const moved = this.in('moved').filter(({ size }) => size > 0);
    if (moved.length === 0) return;
    this.tally.phase('checking');
    await this.check(moved);
    this.tally.phase('moving');
  }

  #unplaced(keepBig: boolean): M[] {
    return this.moves.filter((move) => move.begun && move.state !== 'placed' && !(keepBig && move.size >= bigFile));
  }
}

/** Every file of a batch, before anything has happened to it. */
export const moveOf = (file: PlannedFile, temp: string): Move => ({
  file,
  temp,
  size: file.size,
  mtimeMs: file.mtimeMs,
  ranges: new Ranges(0, file.size),
  moved: 0,
  state: 'open',
  begun: false,
});

/** The server's refusal of one file; anything else unchanged. */
export const asFileError = (error: unknown, at: string): unknown => (error instanceof StatusError ? toFileError(error, at) : error);
