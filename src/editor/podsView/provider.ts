import { EventEmitter, l10n, ThemeColor, TreeItem, window, type Disposable, type FileDecoration, type FileDecorationProvider, type TreeDataProvider, type TreeDragAndDropController, type TreeView, type Uri } from 'vscode';
import type { PodSessions } from '../../pods/session';
import type { PodStore } from '../../pods/store';
import type { Pod } from '../../runpod/types';
import type { ActivePod } from '../activePod';
import { explain } from '../errorWords';
import { VIEW_PODS } from '../ids';
import { longTime } from '../words';
import type { RunBook } from '../podRuns/book';
import { runNodes, runRow } from './runRows';
import type { Finding } from '../../pods/guard/secondLook';
import { nodeId, type PodsNode } from './nodes';
import { accountRow, childRow, childrenOf, isKnown, leftWords, machineRow, podRow, remedyRow, ROW_SCHEME, unreadableRow, type RowContext } from './rows';
import { byImportance } from './state';
import { podTooltip } from './tooltip';

/** How often times left and ages are written anew while the view is seen; no request is made for it. */
const TICK_MS = 15_000;

/** What others bring to the view. */
export interface PodsViewExtras {
  readonly drops?: TreeDragAndDropController<PodsNode>;
  readonly storage?: { readonly onDidChange: (listener: () => void) => Disposable; textOf(podId: string): string | undefined };
  readonly runs?: RunBook;
  /** Machines connected by hand, of this window. */
  readonly machines?: () => readonly Pod[];
  /** Where several accounts are known, the name of the one in use. */
  readonly accountName?: () => string | undefined;
  readonly unsolved?: { readonly onDidChange: (listener: () => void) => Disposable; of(podId: string): Finding | undefined };
}

/** The Pods view: a picture of the store, never the other way round. */
export class PodsView implements TreeDataProvider<PodsNode>, FileDecorationProvider, Disposable {
  #changed = new EventEmitter<PodsNode[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  #decorated = new EventEmitter<undefined>();
  readonly onDidChangeFileDecorations = this.#decorated.event;
  readonly view: TreeView<PodsNode>;
  #disposables: Disposable[] = [];
  /** One object a row for as long as it is shown: a menu that is open while the list changes still knows its row. */
  #nodes = new Map<string, PodsNode>();
  /** What each top row looked like when it was painted last. */
  #painted = new Map<string, string>();
  /** Pods whose rows below the editor has asked for; of the others it knows nothing that could be out of date. */
  #opened = new Set<string>();
  #tick: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: PodStore,
    private readonly sessions: PodSessions,
    private readonly activePod: ActivePod,
    private readonly now: () => number,
    private readonly onVisible: (visible: boolean) => void,
    private readonly extras: PodsViewExtras = {},
  ) {
    const { drops, storage, runs, unsolved } = extras;
    this.view = window.createTreeView(VIEW_PODS, { treeDataProvider: this, showCollapseAll: true, ...(drops ? { dragAndDropController: drops } : {}) });
    if (runs)
      this.#disposables.push(
        runs.onDidChange(() => this.#repaint()),
        this.view.onDidCollapseElement(({ element }) => element.kind === 'pod' && runs.unwatch(element.podId)),
      );
    for (const other of [storage, unsolved]) if (other) this.#disposables.push(other.onDidChange(() => this.#repaint()));
    this.#disposables.push(
      this.view,
      this.#changed,
      this.#decorated,
      window.registerFileDecorationProvider(this),
      store.onDidChange(() => this.#repaint()),
      sessions.onDidChange(() => this.#repaint()),
      activePod.onDidChange(() => this.#repaint()),
      this.view.onDidChangeVisibility((e) => this.#watch(e.visible)),
    );
    this.#watch(this.view.visible);
  }

  /** The first list is waited for, with the editor's own sign of it: an empty view would look like an account without pods. */
  getChildren(node?: PodsNode): PodsNode[] | Promise<PodsNode[]> {
    if (node?.kind === 'pod') {
      // Asked for by the editor, so the row is open.
      this.extras.runs?.watch(node.podId);
      this.#opened.add(node.podId);
      return this.#below(node.podId);
    }
    if (node) return [];
    const top = this.#top();
    if (top.length === 0 && this.store.state.phase === 'loading') return this.#firstAnswer().then(() => this.#paint(this.#top()));
    return this.#paint(top);
  }

  /** Resolves with RunPod's first answer, or the lack of one. */
  #firstAnswer(): Promise<void> {
    return new Promise((resolve) => {
      const listener = this.store.onDidChange(({ phase, problem }) => {
        if (phase === 'loading' && problem === undefined) return;
        listener.dispose();
        resolve();
      });
    });
  }

  #paint(top: PodsNode[]): PodsNode[] {
    this.#painted = new Map(top.map((n) => [nodeId(n), this.#look(n)]));
    return top;
  }

  #below(podId: string): PodsNode[] {
    const pod = this.store.find(podId);
    if (!pod) return [];
    const [connection, ...others] = childrenOf(pod);
    return [...(connection ? [connection] : []), ...runNodes(podId, this.extras.runs?.of(podId) ?? [], this.extras.runs?.firstLook(podId)), ...others].map((child) => this.#same(child));
  }

  getTreeItem(node: PodsNode): TreeItem {
    const item = this.#itemFor(node);
    item.id = nodeId(node);
    return item;
  }

  /** Shows a pod's row, opened and chosen. */
  async reveal(podId: string): Promise<void> {
    const node = this.#top().find((one) => one.kind === 'pod' && one.podId === podId);
    if (node) await this.view.reveal(node, { select: true, focus: true, expand: true });
  }

  getParent(node: PodsNode): PodsNode | undefined {
    return 'podId' in node && node.kind !== 'pod' && node.kind !== 'machine' && node.kind !== 'unreadable' ? { kind: 'pod', podId: node.podId } : undefined;
  }

  resolveTreeItem(item: TreeItem, node: PodsNode): TreeItem {
    const pod = node.kind === 'pod' ? this.store.find(node.podId) : undefined;
    if (pod) item.tooltip = podTooltip(pod, this.sessions.peek(pod.id), this.#context());
    return item;
  }

  provideFileDecoration(uri: Uri): FileDecoration | undefined {
    if (uri.scheme !== ROW_SCHEME || uri.query === '') return undefined;
    return uri.query === 'stale' ? { color: new ThemeColor('disabledForeground') } : { badge: '!', tooltip: l10n.t('to decide on'), color: new ThemeColor('list.warningForeground') };
  }

  dispose(): void {
    clearInterval(this.#tick);
    for (const d of this.#disposables) d.dispose();
  }

  #itemFor(node: PodsNode): TreeItem {
    if (node.kind === 'account') return accountRow(this.#context());
    if (node.kind === 'remedy') return remedyRow(node);
    if (node.kind === 'unreadable') {
      const row = this.store.state.rows[node.index];
      return row?.kind === 'unreadable' ? unreadableRow(row.row) : new TreeItem('');
    }
    const pod = this.store.find(node.podId);
    if (!pod) return new TreeItem('');
    if (node.kind === 'runs') return runRow(node, undefined, Date.now(), this.extras.runs?.firstLook(node.podId));
    if (node.kind === 'run') return runRow(node, this.extras.runs?.find(node.podId, node.runId), Date.now());
    if (node.kind === 'machine') return machineRow(pod, this.#connectionText(pod.id), this.#context());
    return node.kind === 'pod' ? podRow(pod, this.#context()) : childRow(node, pod, this.#connectionText(pod.id), this.extras.storage?.textOf(pod.id));
  }

  #connectionText(podId: string): string {
    const pod = this.store.find(podId);
    const session = this.sessions.peek(podId);
    if (session?.state === 'connected') return l10n.t('connected');
    if (session?.state === 'connecting' || session?.state === 'retrying') return l10n.t('connecting…');
    if (pod?.status !== 'RUNNING') return l10n.t('not running');
    if (pod.ssh.direct) return `${pod.ssh.direct.host}:${pod.ssh.direct.port}`;
    return pod.ports.includes('22/tcp') ? l10n.t('waiting for a port') : l10n.t('terminal only: 22/tcp is not exposed');
  }

  #context(): RowContext {
    return { state: this.store.state, now: this.now(), activePod: this.activePod.id, accountName: this.extras.accountName?.(), unsolved: (podId) => this.extras.unsolved?.of(podId) };
  }

  /** The rows of the top level, in the order they are shown in. */
  #top(): PodsNode[] {
    const { state } = this.store;
    const pods = [...state.pods].sort(byImportance).map((pod): PodsNode => ({ kind: 'pod', podId: pod.id }));
    const unreadable = state.rows.flatMap((r, index): PodsNode[] => (r.kind === 'unreadable' ? [{ kind: 'unreadable', index, podId: r.row.id }] : []));
    // Without pods it would stand where the editor says what to do now; the view's title tells the balance then.
    const known = pods.length + unreadable.length > 0 && (isKnown(state.account) || this.extras.accountName?.() !== undefined);
    const machines = (this.extras.machines?.() ?? []).map(({ id }): PodsNode => ({ kind: 'machine', podId: id }));
    const top = [...this.#remedies(), ...(known ? [{ kind: 'account' as const }] : []), ...unreadable, ...pods, ...machines];
    const shown = new Set(top.map(nodeId));
    for (const [id, node] of this.#nodes) if (!shown.has(id) && !('podId' in node && shown.has(`pod:${node.podId}`))) this.#nodes.delete(id);
    return top.map((node) => this.#same(node));
  }

  /** What to do about what the view's message tells: the one step that mends it, and without any list yet another try and the log. */
  #remedies(): PodsNode[] {
    const { problem, fetchedAt } = this.store.state;
    if (!problem) return [];
    const { action } = explain(problem.error);
    const mend = action?.command === 'runpod.setApiKey' ? [{ kind: 'remedy' as const, title: action.title, command: action.command }] : [];
    if (fetchedAt !== undefined) return mend;
    return [...mend, { kind: 'remedy', title: l10n.t('Try Again'), command: 'runpod.refreshPods' }, { kind: 'remedy', title: l10n.t('Show Log'), command: 'runpod.showLog' }];
  }

  #same(node: PodsNode): PodsNode {
    const id = nodeId(node);
    const known = this.#nodes.get(id);
    // A port's public number, or the place of an unreadable row, may be another by now.
    if (known && JSON.stringify(known) === JSON.stringify(node)) return known;
    this.#nodes.set(id, node);
    return node;
  }

  /** All that is visible of a top row and what hangs below it, to be compared. */
  #look(node: PodsNode): string {
    const item = this.#itemFor(node);
    const below = node.kind === 'pod' && this.#opened.has(node.podId) ? this.#below(node.podId).map((child) => this.#itemFor(child)) : [];
    return JSON.stringify([item, ...below].map((i) => [i.label, i.description, i.contextValue, i.resourceUri?.query, i.iconPath]));
  }

  /** Tells the editor what has changed and no more: a list whose order is the same keeps its rows. */
  #repaint(): void {
    this.#repaintRows();
    // After the rows: the editor gathers what a view tells for 200 ms after the first thing told, also words that are the same.
    const message = this.store.state.problem ? this.#problemText() : '';
    if ((this.view.message ?? '') !== message) this.view.message = message;
    const description = this.#description();
    if ((this.view.description ?? '') !== description) this.view.description = description;
  }

  /** Beside the view's name: whose account it is, and what is left on it where no row tells. */
  #description(): string {
    const { state } = this.store;
    if (state.phase !== 'ready' || state.rows.length > 0) return '';
    return [this.extras.accountName?.(), state.account?.balance === undefined ? undefined : leftWords(state.account)].filter(Boolean).join(' · ');
  }

  #repaintRows(): void {
    const top = this.#top();
    const looks = new Map(top.map((n) => [nodeId(n), this.#look(n)]));
    const before = [...this.#painted.keys()];
    const sameOrder = looks.size === before.length && [...looks.keys()].every((id, i) => id === before[i]);
    const changed = top.filter((n) => looks.get(nodeId(n)) !== this.#painted.get(nodeId(n)));
    if (sameOrder && changed.length === 0) return;
    this.#painted = looks;
    this.#decorated.fire(undefined);
    this.#changed.fire(sameOrder ? changed : undefined);
  }

  /** “Last seen 2 min ago: RunPod has a problem of its own (503). Trying again in 30 s.” */
  #problemText(): string {
    const { problem, fetchedAt } = this.store.state;
    if (!problem) return '';
    const why = explain(problem.error).message;
    const again = l10n.t('Trying again in {0}.', longTime(problem.nextTryAt - Date.now()));
    return fetchedAt === undefined ? `${why} ${again}` : `${l10n.t('Last seen {0} ago:', longTime(Date.now() - fetchedAt))} ${why} ${again}`;
  }

  #watch(visible: boolean): void {
    clearInterval(this.#tick);
    this.onVisible(visible);
    this.extras.runs?.setVisible(visible);
    if (visible) this.#tick = setInterval(() => this.#repaint(), TICK_MS);
  }
}
