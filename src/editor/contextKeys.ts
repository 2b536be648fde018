import { commands, type Disposable } from 'vscode';
import type { PodsState, PodStore } from '../pods/store';
import { CONTEXT } from './ids';

/** Keeps the `when` clauses of views and menus in step with the store; the editor is told only of changes. */
export function followContextKeys(store: PodStore): Disposable {
  const told = new Map<string, unknown>();
  const tell = (key: string, value: unknown): void => {
    if (told.get(key) === value) return;
    told.set(key, value);
    void commands.executeCommand('setContext', key, value);
  };
  const follow = (state: PodsState): void => {
    tell(CONTEXT.phase, state.phase === 'loading' && state.problem ? 'offline' : state.phase);
    tell(CONTEXT.empty, state.phase === 'ready' && state.rows.length === 0);
  };
  follow(store.state);
  return store.onDidChange(follow);
}
