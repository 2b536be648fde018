import { l10n, Uri, window, workspace } from 'vscode';
import { CancelledError } from '../../base/errors';
import { clutter } from '../../files/clutter';
import { normalise } from '../../files/names';
import { Targets } from '../commands/command';
import { workspaceUri } from '../commands/openWorkspace';
import { SCHEME, SCHEME_READONLY } from '../ids';
import type { Parts } from '../parts';
import { ask } from '../prompts/ask';

/** A folder of a pod in which something is looked for. */
export interface Scope {
  readonly uri: Uri;
  readonly podId: string;
  readonly folder: string;
  /** `llama-ft: /workspace`. */
  readonly label: string;
}

/**
 * The folder that a command's target means: a folder of a pod, a pod (its mount path), or without a target the pod folder that
 * is open in this window, else that of the active pod. Asks where several fit.
 */
export async function scopeOf(parts: Parts, target: unknown, question: string): Promise<Scope> {
  if (isOnPod(target)) return makeScope(parts, target);
  if (target === undefined) {
    const open = (workspace.workspaceFolders ?? []).filter(({ uri }) => isOnPod(uri));
    const [only, ...more] = open;
    if (only !== undefined && more.length === 0) return makeScope(parts, only.uri);
    if (only !== undefined) {
      const here = window.activeTextEditor === undefined ? undefined : workspace.getWorkspaceFolder(window.activeTextEditor.document.uri);
      const items = open.map(({ uri }) => ({ label: makeScope(parts, uri).label, uri, picked: uri === here?.uri }));
      items.sort((a, b) => Number(b.picked) - Number(a.picked));
      const picked = await ask.oneOf(items, { placeHolder: question });
      if (picked === undefined) throw new CancelledError();
      return makeScope(parts, picked.uri);
    }
  }
  const pod = await new Targets(parts.store).pod(target ?? (await parts.activePod.pick()), question, (p) => p.status === 'RUNNING');
  return makeScope(parts, workspaceUri(pod));
}

export const isOnPod = (target: unknown): target is Uri => target instanceof Uri && (target.scheme === SCHEME || target.scheme === SCHEME_READONLY);

function makeScope(parts: Parts, uri: Uri): Scope {
  const folder = normalise(uri.path === '' ? '/' : uri.path);
  return { uri: uri.with({ path: folder }), podId: uri.authority, folder, label: `${parts.store.find(uri.authority)?.name ?? uri.authority}: ${folder}` };
}

/** What the editor's settings and we leave out of searches, as globs. */
export function excludedGlobs(scope: Scope): string[] {
  const set = ['files.exclude', 'search.exclude'].map((key) => workspace.getConfiguration(undefined, scope.uri).get<Record<string, unknown>>(key) ?? {});
  const globs = set.flatMap((globs) => Object.entries(globs).flatMap(([glob, on]) => (on === true ? [glob] : [])));
  return [...new Set([...clutter, ...globs])];
}

/** The place of a path relative to the scope's folder. */
export const uriIn = (scope: Scope, path: string): Uri => Uri.joinPath(scope.uri, ...path.split('/'));

/** For the log and questions: “Search in which folder?”. */
export const whichFolder = (): string => l10n.t('Search in which folder?');
