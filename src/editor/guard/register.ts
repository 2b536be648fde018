import { Disposable, window, workspace, type Uri } from 'vscode';
import { command } from '../commands/command';
import { SCHEME } from '../ids';
import type { Parts } from '../parts';
import { registerLimitCommands } from './commands';
import { Countdowns } from './countdown';
import { SecondLook } from './secondLook';
import type { Unsolved } from './unsolved';

/** Limits that pods keep by themselves: the commands, what is said before they end, and the second look at every list. */
export function registerGuards(parts: Parts, unsolved: Unsolved): Disposable {
  const { store, guards, context, log } = parts;
  const now = (): number => parts.now();
  const used = (uri: Uri): void => {
    if (uri.scheme === SCHEME) guards.noteUse(uri.authority);
  };
  const secondLook = new SecondLook(unsolved, context.globalState, now);
  return Disposable.from(
    guards,
    new Countdowns(store, guards, now),
    secondLook,
    command('runpod.unsolved', log, () => secondLook.choose()),
    // Somebody who writes in a pod's file uses the pod; a file that is only open does not.
    workspace.onDidChangeTextDocument((e) => e.contentChanges.length > 0 && window.state.focused && used(e.document.uri)),
    workspace.onDidSaveTextDocument((document) => used(document.uri)),
    // Notebooks, and what is made, moved, dropped or removed in the Explorer.
    parts.fileChanges.onDidChangeHere((changes) => new Set(changes.map(({ podId }) => podId)).forEach((podId) => guards.noteUse(podId))),
    ...registerLimitCommands(parts),
  );
}
