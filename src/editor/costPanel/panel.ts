import { l10n, Uri, ViewColumn, window, workspace, type Disposable, type WebviewPanel } from 'vscode';
import { CancelledError, messageOf } from '../../base/errors';
import { utcDay } from '../../pods/meter';
import { spendCsv } from '../../pods/spendHistory';
import { UseHistory } from '../../pods/useHistory';
import { choices, command, showError, targetId } from '../commands/command';
import { explain } from '../errorWords';
import { pageIcon } from '../pageIcon';
import type { Parts } from '../parts';
import type { Spending } from '../spending';
import { panelHtml } from './html';
import { readFromView, type CostsMessage, type ToView, type UseMessage } from './messages';
import { billsFrom, figures, idleStorage, monthOf, panelPods, rowsOf, type Bills } from './model';
import { panelWords } from './words';
import { notice } from '../prompts/notice';

const DAY_MS = 86_400_000;
/** RunPod bills every five minutes; asking more often tells nothing new. */
const BILLS_EVERY_MS = 5 * 60_000;
const DEFAULT_DAYS = 30;

/**
 * `runpod.showCosts(pod?, {exportTo?})`: the Cost panel, on that pod's use; or, with a file to write to, only the table.
 */
export function registerCostPanel(parts: Parts, spending: Spending): Disposable {
  const panel = new CostPanel(parts, spending);
  const registered = command('runpod.showCosts', parts.log, async (target, options) => {
    const to = choices(options)?.['exportTo'];
    if (to instanceof Uri || typeof to === 'string') return panel.exportTo(typeof to === 'string' ? Uri.file(to) : to);
    return panel.show(targetId(target));
  });
  return {
    dispose: () => {
      registered.dispose();
      panel.dispose();
    },
  };
}

/** One panel a window. It asks for bills only while it is seen in a window in front. */
class CostPanel implements Disposable {
  readonly #use = new UseHistory();
  readonly #subscriptions: Disposable[];
  #panel: WebviewPanel | undefined;
  #ready = false;
  #days = DEFAULT_DAYS;
  #bills: Bills | undefined;
  #reading: Promise<void> | undefined;
  #problem: string | undefined;
  #show: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly spending: Spending,
  ) {
    this.#subscriptions = [
      parts.store.onDidChange((state) => {
        if (state.phase === 'ready' && !state.problem) this.#use.add(state.pods, parts.now());
        // Another key is another account's bills.
        if (state.phase !== 'ready') this.#bills = undefined;
        this.#tell();
      }),
      window.onDidChangeWindowState(() => this.#watch()),
    ];
  }

  /** @returns what the panel says about the month, in USD */
  async show(podId: string | undefined): Promise<{ monthToDate: number | undefined; projected: number | undefined }> {
    this.#show = podId;
    if (this.#panel) this.#panel.reveal();
    else this.#open();
    this.#watch();
    this.#tell();
    await this.#reading;
    const { month } = this.#costs();
    return { monthToDate: month?.toDate, projected: month?.projected };
  }

  async exportTo(file: Uri): Promise<{ file: string; rows: number }> {
    if (!this.#bills) await this.#read();
    if (!this.#bills) throw new Error(this.#problem ?? l10n.t('The bills could not be read.'));
    const now = this.parts.now();
    const from = utcDay(now) - (this.#days - 1) * DAY_MS;
    const rows = rowsOf(this.#bills, this.spending.meter, now).filter((row) => row.day >= from);
    await workspace.fs.writeFile(file, Buffer.from(spendCsv(rows, (id) => this.spending.nameOf(id)), 'utf8'));
    return { file: file.toString(), rows: rows.length };
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#panel?.dispose();
    for (const s of this.#subscriptions) s.dispose();
  }

  #open(): void {
    const bundles = Uri.joinPath(this.parts.context.extensionUri, 'dist');
    const panel = window.createWebviewPanel('runpod.costs', l10n.t('RunPod Costs'), ViewColumn.Active, { enableScripts: true, localResourceRoots: [bundles] });
    this.#panel = panel;
    panel.iconPath = pageIcon(this.parts.context);
    panel.onDidDispose(() => {
      this.#panel = undefined;
      this.#ready = false;
      this.#watch();
    });
    panel.onDidChangeViewState(() => this.#watch());
    panel.webview.onDidReceiveMessage((raw: unknown) => this.#receive(raw));
    panel.webview.html = panelHtml(panel.webview, Uri.joinPath(bundles, 'costPanel.js'), l10n.t('RunPod Costs'));
  }

  #receive(raw: unknown): void {
    const message = readFromView(raw);
    switch (message?.type) {
      case 'ready':
        // Also after the panel was hidden: its page is made anew when it is seen again.
        this.#ready = true;
        this.#send({ type: 'hello', words: panelWords() });
        this.#tell();
        break;
      case 'refresh':
        void this.#read();
        void this.parts.store.refresh();
        break;
      case 'range':
        this.#days = message.days;
        void this.#read();
        break;
      case 'export':
        void this.#export().catch(showError);
        break;
      case undefined:
        this.parts.log.debug('The cost panel sent something unknown');
    }
  }

  async #export(): Promise<void> {
    const name = `runpod-costs-${new Date(this.parts.now()).toISOString().slice(0, 10)}.csv`;
    const folder = workspace.workspaceFolders?.find((f) => f.uri.scheme === 'file')?.uri;
    const file = await window.showSaveDialog({ title: l10n.t('Export Costs'), filters: { CSV: ['csv'] }, ...(folder ? { defaultUri: Uri.joinPath(folder, name) } : {}) });
    if (!file) throw new CancelledError();
    const { rows } = await this.exportTo(file);
    const open = l10n.t('Open File');
    const answer = await notice.inform(l10n.t('Costs exported; rows: {0}.', rows), open);
    if (answer === open) await window.showTextDocument(file);
  }

  /** Reads bills now and then while somebody looks, and not otherwise. */
  #watch(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!this.#panel?.visible || !window.state.focused) return;
    this.#timer = setInterval(() => void this.#read(), BILLS_EVERY_MS);
    if (!this.#bills || Date.now() - this.#bills.at >= BILLS_EVERY_MS) void this.#read();
  }

  /** Callers at the same time share one read; one for another span follows it. */
  #read(): Promise<void> {
    this.#reading ??= this.#readSpan().finally(() => {
      this.#reading = undefined;
      this.#tell();
    });
    this.#tell();
    return this.#reading;
  }

  async #readSpan(): Promise<void> {
    for (let days: number | undefined; days !== this.#days; ) {
      days = this.#days;
      await this.#readBills(days);
    }
  }

  async #readBills(days: number): Promise<void> {
    try {
      const client = await this.parts.api.client();
      const [records, volumes] = await Promise.all([
        client.billing.pods({ bucketSize: 'day', startTime: new Date(billsFrom(days, this.parts.now())) }, { background: true }),
        client.networkVolumes.list({ background: true }).catch(() => undefined),
      ]);
      this.#bills = { records, volumes, at: Date.now() };
      this.#problem = undefined;
    } catch (error) {
      this.parts.log.warn(`Bills: ${messageOf(error)}`);
      this.#problem = explain(error).message;
    }
  }

  #tell(): void {
    if (!this.#panel?.visible || !this.#ready) return;
    this.#send(this.#costs());
    this.#send(this.#useNow());
  }

  #send(message: ToView): void {
    void this.#panel?.webview.postMessage(message);
  }

  #costs(): CostsMessage {
    const { store } = this.parts;
    const now = this.parts.now();
    const bills = this.#bills;
    const rows = bills && rowsOf(bills, this.spending.meter, now);
    const month = rows && monthOf(rows, store.state, now);
    return {
      type: 'costs',
      figures: figures(store.state, this.spending, month, bills?.volumes, now),
      rows,
      pods: panelPods(rows ?? [], store.state, this.spending),
      storage: idleStorage(store.state, bills?.volumes),
      month,
      from: utcDay(now) - (this.#days - 1) * DAY_MS,
      now,
      days: this.#days,
      loading: this.#reading !== undefined,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  #useNow(): UseMessage {
    const show = this.#show;
    this.#show = undefined;
    const pods = this.#use.podIds.map((id) => ({ id, name: this.spending.nameOf(id) ?? id, samples: this.#use.of(id) }));
    return { type: 'use', pods, ...(show === undefined ? {} : { show: this.parts.store.find(show)?.id ?? show }) };
  }
}
