import { commands, workspace, type Disposable } from 'vscode';
import type { Logger } from '../../base/log';
import { PodFiles } from '../../files/pod/podFiles';
import type { PodSession, PodSessions } from '../../pods/session';
import { SCHEME, SCHEME_READONLY } from '../ids';

interface Folder {
  readonly session: PodSession;
  readonly files: PodFiles;
  /** Held while a folder of the pod is open in the window: then the connection comes back by itself. */
  hold: Disposable | undefined;
  /** The editor has been told that the pod cannot be reached, and shows that. */
  failed: boolean;
}

/** The files of the pods that this window has asked about, each on the session that the pod's terminals and tasks share. */
export class PodFolders implements Disposable {
  readonly #folders = new Map<string, Folder>();
  readonly #subscriptions: Disposable[];

  constructor(
    readonly sessions: PodSessions,
    readonly log: Logger,
  ) {
    this.#subscriptions = [
      workspace.onDidChangeWorkspaceFolders(() => this.#holdOpen()),
      sessions.onDidChange((session) => {
        if (session.state === 'connected') this.#reached(session.podId);
      }),
    ];
  }

  /** Does no I/O: the connection is made with the first question. */
  files(podId: string): PodFiles {
    const session = this.sessions.get(podId);
    const known = this.#folders.get(podId);
    if (known?.session === session) return known.files;
    // The pod was terminated, and its session with it; should it be asked about again, that says so.
    this.#end(podId);
    const folder: Folder = { session, files: new PodFiles(session, { log: this.log }), hold: undefined, failed: false };
    this.#folders.set(podId, folder);
    this.#holdOpen();
    return folder.files;
  }

  failed(podId: string): void {
    const folder = this.#folders.get(podId);
    if (folder !== undefined) folder.failed = true;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const podId of [...this.#folders.keys()]) this.#end(podId);
  }

  #end(podId: string): void {
    const folder = this.#folders.get(podId);
    folder?.hold?.dispose();
    folder?.files.dispose();
    this.#folders.delete(podId);
  }

  #holdOpen(): void {
    const open = new Set((workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY).map(({ uri }) => uri.authority));
    for (const [podId, folder] of this.#folders) {
      if (open.has(podId)) folder.hold ??= folder.session.hold();
      else {
        folder.hold?.dispose();
        folder.hold = undefined;
      }
    }
  }

  /** The Explorer goes on showing an error that it was given once; it is told to look again. */
  #reached(podId: string): void {
    const folder = this.#folders.get(podId);
    if (folder?.failed !== true || folder.hold === undefined) return;
    folder.failed = false;
    void commands.executeCommand('workbench.files.action.refreshFilesExplorer').then(undefined, () => undefined);
  }
}
