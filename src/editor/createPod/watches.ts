import { randomUUID } from 'node:crypto';
import { l10n, StatusBarAlignment, Uri, window, type Disposable, type LogOutputChannel, type Memento, type StatusBarItem } from 'vscode';
import { isCancelled } from '../../base/errors';
import { NothingPlacedError } from '../../pods/create';
import { GpuWatch, WATCH_MS, type Sighting, type WatchOrder } from '../../pods/watch';
import type { Api } from '../api';
import type { ApiKeys } from '../apiKey';
import { run, showError } from '../commands/command';
import type { CommandId } from '../ids';
import { longTime, rate } from '../words';
import type { Asked } from './place';

const KEY = 'runpod.watches';

/** Makes the pod of an order; the words and the waiting are the caller's. */
export type PlaceOrder = (order: WatchOrder, asked: readonly Asked[]) => Promise<void>;

/**
 * Hardware that this window waits for: kept with the workspace, so that a reload goes on with it, shown in the status bar,
 * asked for far apart.
 */
export class Watches implements Disposable {
  readonly #watch: GpuWatch;
  readonly #item: StatusBarItem;
  readonly #told = new Set<string>();
  #place: PlaceOrder | undefined;

  constructor(
    private readonly memento: Memento,
    private readonly keys: ApiKeys,
    api: Api,
    log: LogOutputChannel,
  ) {
    this.#watch = new GpuWatch({
      api: {
        gpus: async (cloud, count, minCudaVersion, signal) => (await api.client()).catalog.gpus({ availability: { cloud, count, ...(minCudaVersion ? { minCudaVersion } : {}) }, background: true, signal }),
      },
      orders: () => this.orders.filter((o) => o.origin === keys.account && !this.#told.has(o.id)),
      onSight: (order, sighted) => this.#sighted(order, sighted),
      everyMs: () => (window.state.focused ? WATCH_MS.front : WATCH_MS.background),
      log,
    });
    this.#item = window.createStatusBarItem('runpod.watch', StatusBarAlignment.Right, 90);
    this.#item.name = l10n.t('RunPod: Watched Hardware');
    this.#item.command = 'runpod.watches' satisfies CommandId;
    this.#show();
  }

  get orders(): readonly WatchOrder[] {
    return this.memento.get<WatchOrder[]>(KEY) ?? [];
  }

  /** Begins; `place` makes the pods that are to be created on sight. */
  start(place: PlaceOrder): void {
    this.#place = place;
    this.#watch.wake(5000);
  }

  /** @param asked what to create; variables are not kept, for they may hold secrets */
  async add(asked: readonly Asked[], createOnSight: boolean): Promise<WatchOrder> {
    const first = asked[0];
    if (!first) throw new Error(l10n.t('There is nothing to watch for.'));
    const cap = Math.max(...asked.map((a) => a.perHour ?? 0));
    const order: WatchOrder = {
      id: randomUUID(),
      name: first.request.name,
      requests: asked.map(({ request: { env: _, ...kept } }) => kept),
      label: [...new Set(asked.map((a) => a.label))].join(', '),
      createOnSight: createOnSight && cap > 0 && first.profile === undefined,
      ...(first.profile ? { profile: first.profile } : {}),
      ...(first.limits ? { limits: first.limits } : {}),
      ...(cap > 0 ? { cap } : {}),
      since: Date.now(),
      origin: this.keys.account,
    };
    await this.#keep([...this.orders, order]);
    this.#watch.wake(WATCH_MS.front / 5);
    return order;
  }

  async remove(id: string): Promise<void> {
    this.#told.delete(id);
    await this.#keep(this.orders.filter((o) => o.id !== id));
  }

  dispose(): void {
    this.#watch.dispose();
    this.#item.dispose();
  }

  async #sighted(order: WatchOrder, sighted: readonly Sighting[]): Promise<void> {
    const asked = sighted.map(({ request, candidate }): Asked => ({ request, label: candidate.label, perHour: candidate.perHour, ...(order.limits ? { limits: order.limits } : {}) }));
    if (order.createOnSight) return this.#create(order, asked);
    // Told once; the person answers when they like, and nothing is asked meanwhile.
    this.#told.add(order.id);
    void this.#tell(order, asked);
  }

  async #tell(order: WatchOrder, asked: readonly Asked[]): Promise<void> {
    const first = asked[0];
    const create = l10n.t('Create {0}', order.name);
    const go = l10n.t('Keep Watching');
    const end = l10n.t('Stop Watching');
    const answer = await window.showInformationMessage(l10n.t('{0} is free now at {1}.', first?.label ?? order.label, rate(first?.perHour)), create, go, end);
    this.#told.delete(order.id);
    if (answer === create) await this.#create(order, asked);
    else if (answer === go) this.#watch.wake(WATCH_MS.front);
    else await this.remove(order.id);
  }

  async #create(order: WatchOrder, asked: readonly Asked[]): Promise<void> {
    try {
      // Struck off first: whatever happens to this window, one order never makes two pods.
      await this.remove(order.id);
      if (order.profile) await run('runpod.createPodFromFolder', Uri.parse(order.profile.folder), order.profile.key === undefined ? {} : { profile: order.profile.key });
      else await this.#place?.(order, asked);
    } catch (error) {
      const gone = error instanceof NothingPlacedError && error.refusals.some((r) => r.code === 'no-capacity');
      // Somebody else was faster: wait on.
      if (gone) await this.#keep([...this.orders, order]);
      else if (!isCancelled(error)) await showError(error);
    }
  }

  async #keep(orders: readonly WatchOrder[]): Promise<void> {
    await this.memento.update(KEY, orders.length === 0 ? undefined : orders);
    this.#show();
    this.#watch.wake(WATCH_MS.front);
  }

  #show(): void {
    const orders = this.orders;
    if (orders.length === 0) return this.#item.hide();
    const labels = orders.map((o) => o.label).join(', ');
    this.#item.text = `$(bell) ${orders.length === 1 ? (orders[0]?.label ?? '') : l10n.t('{0} watched', orders.length)}`;
    this.#item.tooltip = l10n.t('Watching for {0}. Click to change.', labels);
    this.#item.accessibilityInformation = { label: l10n.t('RunPod: watching for {0}', labels) };
    this.#item.show();
  }

  /** Asks which order to end. */
  async manage(): Promise<void> {
    const items = this.orders.map((o) => ({
      label: `$(bell) ${o.label}`,
      description: o.createOnSight ? l10n.t('creates {0} at {1} or less', o.name, rate(o.cap)) : l10n.t('tells you'),
      detail: l10n.t('for {0}; choose it to stop watching', longTime(Date.now() - o.since)),
      id: o.id,
    }));
    if (items.length === 0) {
      window.setStatusBarMessage(l10n.t('No hardware is watched for. Choose one that is out of stock in New Pod.'), 8000);
      return;
    }
    const picked = await window.showQuickPick(items, { title: l10n.t('Watched Hardware') });
    if (picked) await this.remove(picked.id);
  }
}
