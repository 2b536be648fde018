import { window, type Disposable } from 'vscode';
import type { PodStore } from '../pods/store';

/** Tells the store how much somebody looks, so that it asks RunPod no more often than that. */
export class AttentionWatch implements Disposable {
  #visible = false;
  readonly #subscription: Disposable;

  constructor(private readonly store: PodStore) {
    this.#subscription = window.onDidChangeWindowState(() => this.#apply());
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
