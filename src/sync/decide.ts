import { canHold, clashes, type LocalNames } from './localNames';
import type { Comparison, PlannedFile, RemoteFile, UploadPlan } from './plan';
import type { PulledFile, PullOrder } from './pullOrder';

/** What becomes of files that both sides changed. `both`: the one that gives way keeps its content under another name. */
export type ConflictChoice = 'overwrite' | 'keep' | 'both';

export interface PullPlan {
  readonly order: PullOrder;
  readonly bytes: number;
  /** Names that this computer cannot hold, or holds once only, with what is in their way. */
  readonly unplaceable: readonly { readonly path: string; readonly beside: string | undefined }[];
  /** Conflicts that stay as they are here. */
  readonly kept: readonly string[];
  /** Deleted here, so not brought back. */
  readonly deletedHere: readonly string[];
}

export interface PullChoice {
  readonly conflicts: ConflictChoice;
  readonly names: LocalNames;
  /** Brings back what was deleted here. */
  readonly restore: boolean;
  /** What a pod's version is called beside a local one that stays. */
  readonly nameAside: (path: string) => string;
}

/** What bringing the pod's changes takes. */
export function planPull(found: Comparison, { conflicts, names, restore, nameAside }: PullChoice): PullPlan {
  const candidates: PulledFile[] = [
    ...found.newer.flatMap(replacing),
    ...(conflicts === 'overwrite' ? found.conflicts.flatMap(replacing) : []),
    ...(conflicts === 'both' ? found.conflicts.flatMap(({ path, remote }) => (remote?.type === 'file' ? [{ path, remote, as: nameAside(path) }] : [])) : []),
    ...found.onlyThere,
    ...(restore ? found.deletedHere : []),
  ];
  const all = [...candidates.map(({ path }) => path), ...found.linksThere, ...found.foldersThere];
  const inTheWay = clashes(all, found.here, names);
  const fits = (path: string): boolean => canHold(path, names) && !inTheWay.has(path);
  const files = candidates.filter(({ path }) => fits(path));
  return {
    order: { target: found.target, files, links: found.linksThere.filter(fits), folders: found.foldersThere.filter(fits), modes: found.modesThere },
    bytes: files.reduce((sum, { remote }) => sum + remote.size, 0),
    unplaceable: all.filter((path) => !fits(path)).map((path) => ({ path, beside: inTheWay.get(path) })),
    kept: conflicts === 'keep' ? found.conflicts.map(({ path }) => path) : [],
    deletedHere: restore ? [] : found.deletedHere.map(({ path }) => path),
  };
}

const replacing = ({ path, local, remote }: PlannedFile): PulledFile[] => (remote?.type === 'file' ? [{ path, remote, local }] : []);

/** What `mirror` takes from the pod: all that this side does not have, ignore rules apart. */
export const extraThere = (found: Comparison): string[] => [...[...found.onlyThere, ...found.deletedHere].map(({ path }: RemoteFile) => path), ...found.linksThere];

/** Which files of a plan replace the pod's, and which of the pod's keep their content under another name. */
export function settle(plan: UploadPlan, conflicts: ConflictChoice, nameAside: (path: string) => string): { overwrite: ReadonlySet<PlannedFile>; aside: ReadonlyMap<PlannedFile, string> } {
  return {
    overwrite: new Set(conflicts === 'overwrite' ? plan.conflicts : []),
    aside: new Map(conflicts === 'both' ? plan.conflicts.map((file) => [file, nameAside(file.path)]) : []),
  };
}

/** `train (pod 2026-01-31 12.00.00).py` from `train.py`. */
export function asideName(path: string, words: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const dot = path.lastIndexOf('.');
  const [stem, ending] = dot > slash ? [path.slice(0, dot), path.slice(dot)] : [path, ''];
  return `${stem} (${words})${ending}`;
}
