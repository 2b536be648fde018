import type { Event, Memento } from 'vscode';
import type { Disposable } from '../base/disposable';
import { typedAccount, type KnownAccount, type TypedBalance } from '../pods/balance';
import { SpendMeter, type MeterRecord } from '../pods/meter';
import type { PodsState, PodStore } from '../pods/store';
import type { Pod } from '../runpod/types';

const METER = 'runpod.spending';
const TYPED = 'runpod.typedBalance';
const NAMES = 'runpod.podNames';
const SAVE_EVERY_MS = 30_000;
/** The billing history knows ids only; names of pods that are gone are remembered up to so many. */
const NAMES_KEPT = 300;

/** What the pods have cost while somebody counted, and the balance a person typed in; shared by all windows. */
export class Spending implements Disposable {
  readonly meter: SpendMeter;
  #saved = 0;
  #names: Readonly<Record<string, string>>;
  readonly #subscriptions: Disposable[];

  /**
   * @param keyChanged another account, perhaps: a typed balance is no longer its balance
   * @param now ms since 1970 by the API's clock
   */
  constructor(
    private readonly store: PodStore,
    private readonly memento: Memento,
    keyChanged: Event<unknown>,
    private readonly now: () => number,
  ) {
    this.meter = new SpendMeter(memento.get<MeterRecord>(METER));
    this.#names = memento.get<Record<string, string>>(NAMES, {});
    store.otherAccount = (pods) => this.#account(pods);
    this.#subscriptions = [store.onDidChange((state) => this.#count(state)), keyChanged(() => void this.setTyped(undefined))];
  }

  get typed(): TypedBalance | undefined {
    return this.memento.get<TypedBalance>(TYPED);
  }

  /** Keeps the person's own figure from now on; undefined forgets it. */
  async setTyped(figure: Pick<TypedBalance, 'kind' | 'usd'> | undefined): Promise<TypedBalance | undefined> {
    const typed = figure && { ...figure, at: this.now() };
    if (typed === undefined && this.typed === undefined) return undefined;
    if (typed) this.meter.restart('typed', typed.at);
    await Promise.all([this.memento.update(TYPED, typed), this.memento.update(METER, this.meter.record)]);
    this.store.accountChanged();
    return typed;
  }

  /** The name of a pod that is listed or once was. */
  nameOf(podId: string): string | undefined {
    return this.store.find(podId)?.name ?? this.#names[podId];
  }

  dispose(): void {
    for (const s of this.#subscriptions) s.dispose();
    this.store.otherAccount = undefined;
  }

  #account(pods: readonly Pod[]): KnownAccount | undefined {
    const { typed } = this;
    if (!typed) return undefined;
    const now = this.now();
    // Typed in another window, whose count has not reached this one.
    if (this.meter.since('typed') !== typed.at) this.meter.restart('typed', typed.at);
    return typedAccount(typed, this.meter.spent('typed', now), pods, now);
  }

  #count(state: PodsState): void {
    if (state.phase !== 'ready' || state.problem) return;
    const now = this.now();
    const elsewhere = this.memento.get<MeterRecord>(METER);
    if (elsewhere) this.meter.adopt(elsewhere);
    this.meter.update(state.pods, now);
    if (Math.abs(now - this.#saved) < SAVE_EVERY_MS) return;
    this.#saved = now;
    void this.memento.update(METER, this.meter.record);
    this.#remember(state.pods);
  }

  #remember(pods: readonly Pod[]): void {
    if (pods.every((pod) => this.#names[pod.id] === pod.name)) return;
    const names: Record<string, string> = { ...this.#names };
    for (const pod of pods) {
      // The latest go last, so that the oldest are the ones forgotten.
      delete names[pod.id];
      names[pod.id] = pod.name;
    }
    this.#names = Object.fromEntries(Object.entries(names).slice(-NAMES_KEPT));
    void this.memento.update(NAMES, this.#names);
  }
}
