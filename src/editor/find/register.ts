import { commands, Disposable, l10n, Uri, window } from 'vscode';
import { isWithin } from '../../files/names';
import { choices, command } from '../commands/command';
import type { Parts } from '../parts';
import { isOnPod, type Scope, scopeOf } from '../search/scope';
import { FolderIndexes } from './indexes';
import { type Chosen, pickFile } from './picker';

export function registerGoToFile(parts: Parts): Disposable {
  const indexes = new FolderIndexes(parts);
  return Disposable.from(
    { dispose: () => indexes.dispose() },
    command('runpod.goToFileOnPod', parts.log, async (target, given) => {
      const scope = await scopeOf(parts, target, l10n.t('Go to a file in which folder?'));
      const path = choices(given)?.['path'];
      const chosen: Chosen | undefined =
        typeof path === 'string' ? { uri: path.startsWith('/') ? scope.uri.with({ path }) : Uri.joinPath(scope.uri, path), selection: undefined } : await pickFile(indexes.of(scope), openPaths(scope));
      if (chosen === undefined) return undefined;
      await commands.executeCommand('vscode.open', chosen.uri, chosen.selection === undefined ? {} : { selection: chosen.selection });
      return { uri: chosen.uri.toString() };
    }),
  );
}

/** What is open comes first: those files are the ones gone back to. */
function openPaths(scope: Scope): Set<string> {
  const out = new Set<string>();
  for (const { tabs } of window.tabGroups.all)
    for (const { input } of tabs) {
      const uri = typeof input === 'object' && input !== null && 'uri' in input ? input.uri : undefined;
      if (isOnPod(uri) && uri.authority === scope.podId && isWithin(uri.path, scope.folder)) out.add(uri.path.slice(scope.folder === '/' ? 1 : scope.folder.length + 1));
    }
  return out;
}
