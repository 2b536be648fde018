import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { commands, l10n, StatusBarAlignment, Uri, window, workspace, type Disposable, type ExtensionContext, type LogOutputChannel, type StatusBarItem } from 'vscode';
import { Claim } from '../../base/claim';
import { isCancelled } from '../../base/errors';
import type { Asked } from '../../pods/asked';
import { NothingPlacedError } from '../../pods/create';
import { GpuWatch, isTimeToAsk, liveOrders, WATCH_FOR_MS, WATCH_MS, type ProfileRef, type Sighting, type WatchOrder } from '../../pods/watch';
import type { Api } from '../api';
import type { ApiKeys } from '../apiKey';
import { run, showError } from '../commands/command';
import type { CommandId } from '../ids';
import { localTime, longTime, rate } from '../words';

const KEY = 'runpod.watches';
const ASKED = 'runpod.watches.askedAt';
/** How often a window looks whether another one has ordered something. No request is made for it. */
const ELSEWHERE_MS = 5 * 60_000;

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

  constructor(
    private readonly context: Pick<ExtensionContext, 'globalState' | 'globalStorageUri'>,
    private readonly keys: ApiKeys,
    api: Api,
    log: LogOutputChannel,
  ) {
    const everyMs = (): number => (window.state.focused ? WATCH_MS.front : WATCH_MS.background);
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
    const elsewhere = setInterval(() => this.#lookElsewhere(), ELSEWHERE_MS);
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
      until: Date.now() + WATCH_FOR_MS,
      origin: this.keys.account,
    };
    await this.#keep([...this.orders, order]);
    this.#watch.wake(WATCH_MS.front / 5);
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
    if (order.createOnSight) return this.#create(order, asked);
    // Told once; the person answers when they like, and nothing is asked meanwhile.
    await this.#keep(this.orders.map((o) => (o.id === order.id ? { ...o, toldAt: Date.now() } : o)));
    void this.#tell(order, asked);
  }

  async #tell(order: WatchOrder, asked: readonly Asked[]): Promise<void> {
    const first = asked[0];
    const create = order.profile === undefined || isOpen(order.profile) ? l10n.t('Create {0}', order.name) : l10n.t('Open Its Folder');
    const go = l10n.t('Keep Watching');
    const end = l10n.t('Stop Watching');
    const answer = await window.showInformationMessage(l10n.t('{0} is free now at {1}.', first?.label ?? order.label, rate(first?.perHour)), create, go, end);
    if (answer === create) await this.#create(order, asked);
    else if (answer === go) await this.#keep(this.orders.map(({ toldAt, ...o }) => (o.id === order.id || toldAt === undefined ? o : { ...o, toldAt })));
    else await this.remove(order.id);
  }

  async #create(order: WatchOrder, asked: readonly Asked[]): Promise<void> {
    // Ended in another window meanwhile.
    if (!this.orders.some((o) => o.id === order.id)) return;
    try {
      // Struck off first: whatever happens to this window, one order never makes two pods.
      await this.remove(order.id);
      if (order.profile) await createFromProfile(order.profile);
      else await this.#place?.(order, asked);
    } catch (error) {
      const gone = error instanceof NothingPlacedError && error.refusals.some((r) => r.code === 'no-capacity');
      // Somebody else was faster: wait on.
      if (gone) await this.#keep([...this.orders, order]);
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
    const answer = await window.showInformationMessage(l10n.t('{0} was watched for during {1} and did not come free. It is not watched for any more.', order.label, longTime(order.until - order.since)), again);
    if (answer === again) await this.#keep([...this.orders, { ...order, since: Date.now(), until: Date.now() + WATCH_FOR_MS }]);
  }

  async #keep(orders: readonly WatchOrder[]): Promise<void> {
    await this.context.globalState.update(KEY, orders.length === 0 ? undefined : orders);
    this.#show();
    this.#watch.wake(WATCH_MS.front);
  }

  #mine(): readonly WatchOrder[] {
    return this.orders.filter((o) => o.origin === this.keys.account && o.until > Date.now());
  }

  #show(): void {
    const orders = this.#mine();
    if (orders.length === 0) return this.#item.hide();
    const labels = orders.map((o) => o.label).join(', ');
    this.#item.text = `$(bell) ${orders.length === 1 ? (orders[0]?.label ?? '') : l10n.t('{0} watched', orders.length)}`;
    this.#item.tooltip = l10n.t('Watching for {0}. Click to change.', labels);
    this.#item.accessibilityInformation = { label: l10n.t('RunPod: watching for {0}', labels) };
    this.#item.show();
  }

  /** Asks which order to end. */
  async manage(): Promise<void> {
    const items = this.#mine().map((o) => ({
      label: `$(bell) ${o.label}`,
      description: o.createOnSight ? l10n.t('creates {0} at {1} or less', o.name, rate(o.cap)) : l10n.t('tells you'),
      detail: l10n.t('for {0}, until {1}; choose it to stop watching', longTime(Date.now() - o.since), localTime(o.until)),
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

const isOpen = ({ folder }: ProfileRef): boolean => workspace.getWorkspaceFolder(Uri.parse(folder, true)) !== undefined;

/** In the window of its folder; where that is another one, or none, the folder is opened and the person goes on there. */
async function createFromProfile(profile: ProfileRef): Promise<void> {
  const folder = Uri.parse(profile.folder, true);
  if (isOpen(profile)) return run('runpod.createPodFromFolder', folder, profile.key === undefined ? {} : { profile: profile.key });
  await commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
}
