import { Disposable, FileChangeType, window, workspace, type Uri } from 'vscode';
import type { Logger } from '../../base/log';
import type { FileStat } from '../../files/kinds';
import type { PodFiles } from '../../files/pod/podFiles';
import { PodWatch } from '../../files/watch/podWatch';
import type { PodSessions } from '../../pods/session';
import { SCHEME, SCHEME_READONLY } from '../ids';
import type { FileChanges, PodChange } from './changes';

/** Folders that the editor has listed last; it does not say which of them are unfolded. */
const maxFolders = 50;
const maxFiles = 100;

export interface ScreenWatchDeps {
  readonly sessions: PodSessions;
  readonly files: (podId: string) => PodFiles;
  readonly changes: FileChanges;
  readonly log: Logger;
}

interface Watching {
  readonly files: PodFiles;
  readonly watch: PodWatch;
  /** The one listed last is the last. */
  readonly folders: Set<string>;
}

/**
 * Tells the editor what others change among the files it shows: those open in tabs, and the folders it has listed last while
 * a folder of their pod is open. Only while this window has the focus and the pod is connected anyway.
 */
export class ScreenWatch implements Disposable {
  readonly #watching = new Map<string, Watching>();
  readonly #subscriptions: Disposable;

  constructor(private readonly deps: ScreenWatchDeps) {
    const follow = (): void => this.#follow();
    this.#subscriptions = Disposable.from(
      window.tabGroups.onDidChangeTabs(follow),
      window.onDidChangeWindowState(follow),
      workspace.onDidChangeWorkspaceFolders(follow),
      deps.sessions.onDidChange(follow),
      deps.changes.onDidChangeHere((changes) => this.#own(changes)),
    );
  }

  /** The editor was given these names. */
  listed(podId: string, folder: string, names: readonly string[]): void {
    const { watch, folders } = this.#of(podId);
    watch.listed(folder, names);
    folders.delete(folder);
    folders.add(folder);
    for (const old of [...folders].slice(0, -maxFolders)) folders.delete(old);
    this.#follow();
  }

  /** The editor was told this of a file. */
  saw(podId: string, path: string, stat: FileStat): void {
    if (stat.kind === 'file') this.#of(podId).watch.saw(path, stat);
  }

  dispose(): void {
    this.#subscriptions.dispose();
    for (const { watch } of this.#watching.values()) watch.dispose();
    this.#watching.clear();
  }

  #of(podId: string): Watching {
    const files = this.deps.files(podId);
    const known = this.#watching.get(podId);
    if (known?.files === files) return known;
    known?.watch.dispose();
    const watch = new PodWatch(
      files,
      this.deps.sessions.get(podId),
      ({ created, changed, deleted, crowded }) => {
        const told = (paths: readonly string[], type: FileChangeType): PodChange[] => paths.map((path) => ({ podId, path, type }));
        this.deps.changes.tellFound([
          ...told(deleted, FileChangeType.Deleted),
          ...told(created, FileChangeType.Created),
          ...told(changed, FileChangeType.Changed),
          ...crowded.map((path): PodChange => ({ podId, path, type: FileChangeType.Changed, crowded: true })),
        ]);
      },
      { log: this.deps.log },
    );
    const made: Watching = { files, watch, folders: new Set() };
    this.#watching.set(podId, made);
    return made;
  }

  #own(changes: readonly PodChange[]): void {
    for (const { podId, path, type } of changes)
      this.#watching.get(podId)?.watch.own(path, type === FileChangeType.Created ? 'created' : type === FileChangeType.Deleted ? 'deleted' : 'changed');
  }

  #follow(): void {
    const open = openFiles();
    const withFolder = new Set((workspace.workspaceFolders ?? []).filter(({ uri }) => isOnPod(uri)).map(({ uri }) => uri.authority));
    for (const podId of open.keys()) this.#of(podId);
    for (const [podId, { watch, folders }] of this.#watching) {
      watch.rest(!window.state.focused || this.deps.sessions.peek(podId)?.state !== 'connected');
      watch.want({ files: (open.get(podId) ?? []).slice(0, maxFiles), folders: withFolder.has(podId) ? [...folders].sort() : [] });
    }
  }
}

const isOnPod = (uri: Uri): boolean => uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY;

/** Paths of the files open in tabs, by pod; what is in front comes first. */
function openFiles(): Map<string, string[]> {
  const out = new Map<string, Set<string>>();
  const tabs = window.tabGroups.all.flatMap((group) => group.tabs).sort((a, b) => Number(b.isActive) - Number(a.isActive));
  for (const { input } of tabs) {
    if (typeof input !== 'object' || input === null) continue;
    // Text, notebooks and custom editors have a `uri`, comparisons two.
    for (const uri of ['uri', 'original', 'modified'].map((key) => (input as Partial<Record<string, Uri>>)[key])) {
      if (uri === undefined || !isOnPod(uri)) continue;
      const paths = out.get(uri.authority) ?? new Set();
      out.set(uri.authority, paths.add(uri.path));
    }
  }
  return new Map([...out].map(([podId, paths]) => [podId, [...paths]]));
}
