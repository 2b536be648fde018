import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { l10n, StatusBarAlignment, ThemeIcon, window, type Disposable, type ExtensionContext, type StatusBarItem } from 'vscode';
import { Claim } from '../../base/claim';
import { isCancelled } from '../../base/errors';
import { iconless, type Logger } from '../../base/log';
import { sleep } from '../../base/time';
import type { Asked } from '../../pods/asked';
import { isFullyBooked } from '../../pods/create';
import { GpuWatch, isHandedOver, isTimeToAsk, liveOrders, WATCH_FOR_MS, WATCH_MS, type Sighting, type WatchOrder } from '../../pods/watch';
import type { Api } from '../api';
import type { ApiKeys } from '../apiKey';
import { showError } from '../commands/command';
import type { CommandId } from '../ids';
import { localTime, longTime, rate } from '../words';
import { goToProfile, isHere, type LaunchOnSight } from './profileOrders';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

const KEY = 'runpod.watches';
const ASKED = 'runpod.watches.askedAt';
/** In ms, beside those of `WATCH_MS`. */
const TIMINGS = {
  ...WATCH_MS,
  /** How often a window looks whether another one has ordered something, or hands something over. No request is made for it. */
  elsewhere: 15_000,
  /** How long the window of a folder has for taking over what another one has seen. */
  handOver: 45_000,
} as const;

/** Makes the pod of an order; the words and the waiting are the caller's. */
export type PlaceOrder = (order: WatchOrder, asked: readonly Asked[]) => Promise<void>;

/**
 * Hardware that is waited for: kept with the editor, so that a reload or a restart goes on with it; shown in the status bar of
 * every window; asked for far apart, by one window for all.
 */
export class Watches implements Disposable {
  readonly #watch: GpuWatch;
  readonly #item: StatusBarItem;
  readonly #subscriptions: Disposable[];
  #claim: { readonly account: string; readonly claim: Claim } | undefined;
  #place: PlaceOrder | undefined;
  #launch: LaunchOnSight | undefined;
  readonly #timings: Readonly<Record<keyof typeof TIMINGS, number>>;

  /** @param seams.isHere whether this window can make the pod of a profile: its folder is open and trusted */
  constructor(
    private readonly context: Pick<ExtensionContext, 'globalState' | 'globalStorageUri'>,
    private readonly keys: Pick<ApiKeys, 'account' | 'onDidChange'>,
    api: Pick<Api, 'client'>,
    log: Logger,
    private readonly seams: { readonly timings?: Partial<Record<keyof typeof TIMINGS, number>>; readonly isHere?: typeof isHere } = {},
  ) {
    this.#timings = { ...TIMINGS, ...seams.timings };
    const everyMs = (): number => (window.state.focused ? this.#timings.front : this.#timings.background);
    this.#watch = new GpuWatch({
      api: {
        gpus: async (cloud, count, minCudaVersion, signal) => (await api.client()).catalog.gpus({ availability: { cloud, count, ...(minCudaVersion ? { minCudaVersion } : {}) }, background: true, signal }),
      },
      orders: () => liveOrders(this.orders, keys.account, Date.now()),
      mayAsk: () => this.#mayAsk(everyMs()),
      onSight: (order, sighted) => this.#sighted(order, sighted),
      everyMs,
      log,
    });
    this.#item = window.createStatusBarItem('runpod.watch', StatusBarAlignment.Right, 90);
    this.#item.name = l10n.t('RunPod: Watched Hardware');
    this.#item.command = 'runpod.watches' satisfies CommandId;
    const elsewhere = setInterval(() => this.#lookElsewhere(), this.#timings.elsewhere);
    this.#subscriptions = [
      { dispose: () => clearInterval(elsewhere) },
      keys.onDidChange(() => this.#lookElsewhere()),
      window.onDidChangeWindowState(({ focused }) => {
        // The window in front asks, for it is there that a person is told.
        if (!focused) return this.#letGo();
        this.#show();
        this.#watch.wake(2000);
      }),
    ];
    this.#show();
  }

  /** Of all accounts, those included whose time is over. */
  get orders(): readonly WatchOrder[] {
    return this.context.globalState.get<WatchOrder[]>(KEY) ?? [];
  }

  /** Begins; `place` makes the pods that are to be created on sight. */
  start(place: PlaceOrder): void {
    this.#place = place;
    this.#watch.wake(5000);
  }

  /** @param launch makes the pods of folders' profiles that are to be created on sight */
  useLaunches(launch: LaunchOnSight): void {
    this.#launch = launch;
  }

  /** @param asked what to create; variables are not kept, for they may hold secrets */
  async add(asked: readonly Asked[], createOnSight: boolean): Promise<WatchOrder> {
    const first = asked[0];
    if (!first) throw new Error(l10n.t('There is nothing to watch for.'));
    const cap = first.cap ?? Math.max(...asked.map((a) => a.perHour ?? 0));
    const order: WatchOrder = {
      id: randomUUID(),
      name: first.request.name,
      requests: asked.map(({ request: { env: _, ...kept } }) => kept),
      label: [...new Set(asked.map((a) => a.label))].join(', '),
      createOnSight: createOnSight && cap > 0,
      ...(first.profile ? { profile: first.profile } : {}),
      ...(first.limits ? { limits: first.limits } : {}),
      ...(cap > 0 ? { cap } : {}),
      since: Date.now(),
      until: Date.now() + WATCH_FOR_MS,
      origin: this.keys.account,
    };
    await this.#keep([...this.orders, order]);
    this.#watch.wake(this.#timings.front / 5);
    return order;
  }

  async remove(id: string): Promise<void> {
    await this.#keep(this.orders.filter((o) => o.id !== id));
  }

  dispose(): void {
    for (const s of this.#subscriptions) s.dispose();
    this.#watch.dispose();
    this.#letGo();
    this.#item.dispose();
  }

  #lookElsewhere(): void {
    this.#show();
    this.#watch.ensure();
    for (const order of this.#mine()) if (isHandedOver(order, Date.now(), this.#timings.handOver) && this.#isHere(order)) void this.#launchOrTell(order, order.requests.map((request) => ({ request, label: order.label, perHour: undefined })));
  }

  /** One window asks for all of an account, and all together no more often than one would. */
  async #mayAsk(everyMs: number): Promise<boolean> {
    if (!(await this.#holds())) return false;
    await this.#endOld();
    const { globalState } = this.context;
    const { account } = this.keys;
    const asked = globalState.get<Record<string, number>>(ASKED, {});
    if (!isTimeToAsk(asked[account], Date.now(), everyMs, this.#mine())) return false;
    await globalState.update(ASKED, { ...asked, [account]: Date.now() });
    return true;
  }

  async #holds(): Promise<boolean> {
    const { account } = this.keys;
    if (this.#claim?.account !== account) {
      this.#letGo();
      const name = createHash('sha256').update(account).digest('hex').slice(0, 16);
      this.#claim = { account, claim: new Claim(join(this.context.globalStorageUri.fsPath, 'watches', `${name}.claim`)) };
    }
    return this.#claim.claim.take();
  }

  #letGo(): void {
    this.#claim?.claim.dispose();
  }

  async #sighted(order: WatchOrder, sighted: readonly Sighting[]): Promise<void> {
    // This window may have slept while another took over.
    if (!(await this.#claim?.claim.held())) return;
    const asked = sighted.map(({ request, candidate }): Asked => ({ request, label: candidate.label, perHour: candidate.perHour, ...(order.limits ? { limits: order.limits } : {}) }));
    if (!order.createOnSight) return this.#ask(order, asked);
    if (!order.profile) return this.#create(order, asked);
    if (this.#isHere(order)) return this.#launchOrTell(order, asked);
    // Only a window that has the folder knows what goes with its pod; a person is told where there is none.
    const seenAt = Date.now();
    await this.#replace({ ...order, seenAt });
    await sleep(this.#timings.handOver);
    if (this.#find(order)?.seenAt === seenAt) await this.#ask(order, asked);
  }

  #isHere({ profile }: WatchOrder): boolean {
    return profile !== undefined && (this.seams.isHere ?? isHere)(profile);
  }

  /** Makes the pod of a folder's profile, if that still says what was agreed to; one window of those that have the folder. */
  async #launchOrTell(order: WatchOrder, asked: readonly Asked[]): Promise<void> {
    const { profile } = order;
    const claim = new Claim(join(this.context.globalStorageUri.fsPath, 'watches', `${order.id}.claim`));
    try {
      if (!profile || !this.#launch || !(await claim.take()) || !this.#find(order)) return;
      // Struck off first: whatever happens to this window, one order never makes two pods.
      await this.remove(order.id);
      const { seenAt: _, ...waiting } = order;
      const outcome = await this.#launch(profile, order.cap);
      if (outcome === 'made') return;
      const again: WatchOrder = outcome === 'changed' ? { ...waiting, createOnSight: false } : waiting;
      await this.#keep([...this.orders, again]);
      if (outcome === 'changed') await this.#ask(again, asked, l10n.t('runpod.json has changed since you agreed to this pod.'));
    } catch (error) {
      await showError(error);
    } finally {
      claim.dispose();
    }
  }

  /** Told once; the person answers when they like, and nothing is asked of RunPod meanwhile. */
  async #ask(order: WatchOrder, asked: readonly Asked[], why = ''): Promise<void> {
    await this.#replace({ ...order, toldAt: Date.now() });
    void this.#tell(order, asked, why);
  }

  async #tell(order: WatchOrder, asked: readonly Asked[], why: string): Promise<void> {
    const first = asked[0];
    const create = order.profile === undefined || this.#isHere(order) ? l10n.t('Create {0}', order.name) : l10n.t('Open Its Folder');
    const go = l10n.t('Keep Watching');
    const end = l10n.t('Stop Watching');
    const answer = await notice.inform([why, l10n.t('{0} is free now at {1}.', first?.label ?? order.label, rate(first?.perHour))].filter(Boolean).join(' '), create, go, end);
    if (answer === create) await this.#create(order, asked);
    else if (answer === go) await this.#replace(order);
    else await this.remove(order.id);
  }

  async #create(order: WatchOrder, asked: readonly Asked[]): Promise<void> {
    // Ended in another window meanwhile.
    if (!this.#find(order)) return;
    try {
      // Struck off first: whatever happens to this window, one order never makes two pods.
      await this.remove(order.id);
      if (order.profile) await goToProfile(order.profile);
      else await this.#place?.(order, asked);
    } catch (error) {
      // Somebody else was faster: wait on.
      if (isFullyBooked(error)) await this.#keep([...this.orders, order]);
      else if (!isCancelled(error)) await showError(error);
    }
  }

  /** Tells of those whose time is over, and strikes them off. */
  async #endOld(): Promise<void> {
    const old = this.orders.filter((o) => o.origin === this.keys.account && !(o.until > Date.now()));
    if (old.length === 0) return;
    await this.#keep(this.orders.filter((o) => !old.includes(o)));
    for (const order of old) void this.#tellEnd(order);
  }

  async #tellEnd(order: WatchOrder): Promise<void> {
    const again = l10n.t('Watch Again');
    const answer = await notice.inform(l10n.t('{0} was watched for during {1} and did not come free. It is not watched for any more.', order.label, longTime(order.until - order.since)), again);
    if (answer === again) await this.#keep([...this.orders, { ...order, since: Date.now(), until: Date.now() + WATCH_FOR_MS }]);
  }

  async #keep(orders: readonly WatchOrder[]): Promise<void> {
    await this.context.globalState.update(KEY, orders.length === 0 ? undefined : orders);
    this.#show();
    this.#watch.wake(this.#timings.front);
  }

  #find({ id }: WatchOrder): WatchOrder | undefined {
    return this.orders.find((o) => o.id === id);
  }

  /** Nothing is put back that was struck off meanwhile. */
  async #replace(order: WatchOrder): Promise<void> {
    await this.#keep(this.orders.map((o) => (o.id === order.id ? order : o)));
  }

  #mine(): readonly WatchOrder[] {
    return this.orders.filter((o) => o.origin === this.keys.account && o.until > Date.now());
  }

  #show(): void {
    const orders = this.#mine();
    if (orders.length === 0) return this.#item.hide();
    const labels = orders.map((o) => o.label).join(', ');
    this.#item.text = `$(bell) ${orders.length === 1 ? iconless(orders[0]?.label ?? '') : l10n.t('{0} watched', orders.length)}`;
    this.#item.tooltip = l10n.t('Watching for {0}. Click to change.', labels);
    this.#item.accessibilityInformation = { label: l10n.t('RunPod: watching for {0}', labels) };
    this.#item.show();
  }

  /** Asks which order to end. */
  async manage(): Promise<void> {
    const items = this.#mine().map((o) => ({
      label: o.label,
      iconPath: new ThemeIcon('bell'),
      description: o.createOnSight ? l10n.t('creates {0} at {1} or less', o.name, rate(o.cap)) : l10n.t('tells you'),
      detail: l10n.t('for {0}, until {1}; choose it to stop watching', longTime(Date.now() - o.since), localTime(o.until)),
      id: o.id,
    }));
    if (items.length === 0) {
      notice.brief(l10n.t('No hardware is watched for. Choose one that is out of stock in New Pod.'), 8000);
      return;
    }
    const picked = await ask.oneOf(items, { title: l10n.t('Watched Hardware') });
    if (picked) await this.remove(picked.id);
  }
}
