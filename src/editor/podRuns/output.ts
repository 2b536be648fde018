import { EventEmitter, l10n, Uri, workspace, type Disposable, type TextDocumentContentProvider } from 'vscode';
import type { PodSessions } from '../../pods/session';
import type { RunRef } from '../../runs/detached/layout';
import { readOutput } from '../../runs/detached/list';
import { plainText } from '../../runs/plainText';
import type { RunBook } from './book';

/** Documents with what a run printed, as one would read it in a terminal. */
export const RUN_SCHEME = 'runpod-run';
/** Of a longer output the end. */
const READ_BYTES = 4 * 1024 * 1024;

const outputUri = (ref: RunRef, title: string): Uri => Uri.from({ scheme: RUN_SCHEME, authority: ref.podId, path: `/${ref.id}/${title.replaceAll('/', '∕')}.log` });
const refOf = ({ authority, path }: Uri): RunRef => ({ podId: authority, id: path.split('/')[1] ?? '' });

/** The outputs of runs as documents. One of a run that goes on is as old as its opening, and read anew once that has ended. */
export class RunOutputs implements TextDocumentContentProvider, Disposable {
  readonly #changed = new EventEmitter<Uri>();
  readonly onDidChange = this.#changed.event;
  /** Read while their runs went on. */
  readonly #unfinished = new Map<string, Uri>();
  readonly #registered = workspace.registerTextDocumentContentProvider(RUN_SCHEME, this);
  readonly #watch;

  constructor(
    private readonly sessions: PodSessions,
    private readonly book: RunBook,
  ) {
    this.#watch = book.onDidChange((podId) => {
      for (const [key, uri] of this.#unfinished)
        if (uri.authority === podId && !this.#runs(uri)) {
          this.#unfinished.delete(key);
          this.#changed.fire(uri);
        }
    });
  }

  /** The address of a run's output; what is on the screen of it already is read anew. */
  of(ref: RunRef, title: string): Uri {
    const uri = outputUri(ref, title);
    if (this.#unfinished.has(uri.toString())) this.#changed.fire(uri);
    return uri;
  }

  async provideTextDocumentContent(uri: Uri): Promise<string> {
    if (this.#runs(uri)) this.#unfinished.set(uri.toString(), uri);
    const ref = refOf(uri);
    const bytes = await readOutput(this.sessions.get(ref.podId), ref, READ_BYTES);
    const cut = bytes.length < READ_BYTES ? '' : `${l10n.t('… (the beginning is on the pod)')}\n`;
    return cut + plainText(bytes.toString());
  }

  dispose(): void {
    this.#registered.dispose();
    this.#watch.dispose();
    this.#changed.dispose();
  }

  #runs(uri: Uri): boolean {
    const { podId, id } = refOf(uri);
    return this.book.find(podId, id)?.state === 'running';
  }
}
