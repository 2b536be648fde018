import { window, type Disposable } from 'vscode';
import type { PodSessions } from '../pods/session';
import type { PodStore } from '../pods/store';

/** Tells the store how much somebody looks, so that it asks RunPod no more often than that, and the connections when somebody looks again. */
export class AttentionWatch implements Disposable {
  #visible = false;
  readonly #subscription: Disposable;

  constructor(
    private readonly store: PodStore,
    sessions: PodSessions,
  ) {
    this.#subscription = window.onDidChangeWindowState(({ focused }) => {
      const before = this.store.attention;
      this.#apply();
      if (focused && before === 'background') sessions.awake();
    });
  }

  viewVisible(visible: boolean): void {
    this.#visible = visible;
    this.#apply();
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #apply(): void {
    this.store.attention = !window.state.focused ? 'background' : this.#visible ? 'view' : 'ticker';
  }
}
