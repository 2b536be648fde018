import { Disposable, workspace } from 'vscode';
import type { Logger } from '../../base/log';
import type { PodFiles } from '../../files/pod/podFiles';
import type { PodSessions } from '../../pods/session';
import type { PodStore } from '../../pods/store';
import { SCHEME, SCHEME_READONLY } from '../ids';
import { LargeFiles } from './largeFiles';
import { Bases } from './bases';
import { FileChanges } from './changes';
import { PodFolders } from './folders';
import { OutageNotice } from './outage';
import { followEnds } from './followEnd';
import { PodFileSystemProvider, type ProviderDeps } from './provider';
import { ScreenWatch } from './screenWatch';

export interface FileSystemParts {
  readonly sessions: PodSessions;
  readonly store: PodStore;
  readonly log: Logger;
}

/** Makes pods' files known to the editor, writable and read-only. Nothing is connected until one is asked for. */
export function registerFileSystem({ sessions, store, log }: FileSystemParts): { files: (podId: string) => PodFiles; fileChanges: FileChanges; fileSystem: Disposable } {
  const folders = new PodFolders(sessions, log);
  const changes = new FileChanges();
  const outage = new OutageNotice(sessions);
  const watch = new ScreenWatch({ sessions, files: (podId) => folders.files(podId), changes, log });
  const large = new LargeFiles();
  const bases = new Bases();
  const deps: ProviderDeps = {
    resolve: (podId) => folders.files(podId),
    nameOf: (podId) => store.find(podId)?.name ?? podId,
    changes,
    large,
    bases,
    onListed: (podId, folder, names) => watch.listed(podId, folder, names),
    onStat: (podId, path, stat) => watch.saw(podId, path, stat),
    onUnavailable: (podId) => {
      folders.failed(podId);
      outage.tell(podId);
    },
  };
  const options = { isCaseSensitive: true };
  const fileSystem = Disposable.from(
    workspace.registerFileSystemProvider(SCHEME, new PodFileSystemProvider(SCHEME, deps), options),
    workspace.registerFileSystemProvider(SCHEME_READONLY, new PodFileSystemProvider(SCHEME_READONLY, deps), { ...options, isReadonly: true }),
    large,
    bases,
    watch,
    followEnds(),
    folders,
    changes,
    outage,
  );
  return { files: (podId) => folders.files(podId), fileChanges: changes, fileSystem };
}
