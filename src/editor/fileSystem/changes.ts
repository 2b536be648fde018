import { EventEmitter, Uri, type Disposable, type Event, type FileChangeEvent, type FileChangeType } from 'vscode';
import { Emitter } from '../../base/emitter';

export interface PodChange {
  readonly podId: string;
  readonly path: string;
  readonly type: FileChangeType;
  /** A folder in which more has changed than is told one by one. */
  readonly crowded?: true;
}

/** Changes that come in quick succession (a move of many files) reach the editor as one event. */
const batchMs = 10;

/** What has changed on pods, as both schemes tell it to the editor. */
export class FileChanges implements Disposable {
  readonly #told = new Emitter<readonly PodChange[]>();
  /** Every change as it is told, for those of us who follow them. */
  readonly onDidTell = this.#told.event;
  readonly #own = new Emitter<readonly PodChange[]>();
  /** Those of them that the editor has made itself. */
  readonly onDidChangeHere = this.#own.event;
  readonly #emitters = new Map<string, EventEmitter<FileChangeEvent[]>>();
  #batch: PodChange[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** The editor's event for one scheme. */
  of(scheme: string): Event<FileChangeEvent[]> {
    let emitter = this.#emitters.get(scheme);
    if (emitter === undefined) this.#emitters.set(scheme, (emitter = new EventEmitter()));
    return emitter.event;
  }

  /** The editor has done this. */
  tell(changes: readonly PodChange[]): void {
    this.#own.fire(changes);
    this.tellFound(changes);
  }

  /** Others have done this. */
  tellFound(changes: readonly PodChange[]): void {
    this.#told.fire(changes);
    for (const change of changes) this.#batch.push(change);
    this.#timer ??= setTimeout(() => this.#flush(), batchMs);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#told.dispose();
    this.#own.dispose();
    for (const emitter of this.#emitters.values()) emitter.dispose();
  }

  #flush(): void {
    this.#timer = undefined;
    const batch = this.#batch;
    this.#batch = [];
    for (const [scheme, emitter] of this.#emitters) emitter.fire(batch.map(({ podId, path, type }) => ({ type, uri: Uri.from({ scheme, authority: podId, path }) })));
  }
}
