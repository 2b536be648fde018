import { commands, EventEmitter, l10n, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, Uri, window, type Disposable, type TreeDataProvider } from 'vscode';
import { capped } from '../../base/log';
import { LAUNCH_STEPS, type Launch, type LaunchStep } from '../../pods/launch';
import type { PodStore } from '../../pods/store';
import { CONTEXT, VIEW_LAUNCHES } from '../ids';
import { rate } from '../words';
import type { Launches } from './launches';
import { stepTitle } from './words';

export interface LaunchNode {
  readonly launchId: string;
  readonly step?: LaunchStep;
}

/** The launches of this window, step by step; the view is there as long as there is one. */
export class LaunchView implements TreeDataProvider<LaunchNode>, Disposable {
  readonly #changed = new EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #disposables: Disposable[];
  readonly #nodes = new Map<string, LaunchNode>();

  constructor(
    private readonly launches: Launches,
    private readonly store: PodStore,
  ) {
    const view = window.createTreeView(VIEW_LAUNCHES, { treeDataProvider: this });
    this.#disposables = [view, launches.onDidChange(() => this.#show()), launches.onDidBegin((id) => void view.reveal(this.#node(id), { select: false, focus: false, expand: true }).then(undefined, () => undefined)), store.onDidChange(() => this.#changed.fire()), this.#changed];
    this.#show();
  }

  getChildren(node?: LaunchNode): LaunchNode[] {
    if (!node) return this.launches.here.map(({ id }) => this.#node(id));
    return node.step ? [] : LAUNCH_STEPS.map((step) => ({ launchId: node.launchId, step }));
  }

  getTreeItem({ launchId, step }: LaunchNode): TreeItem {
    const launch = this.launches.find(launchId);
    if (!launch) return new TreeItem('');
    const item = step ? this.#stepItem(launch, step) : this.#launchItem(launch);
    item.id = `${launchId} ${step ?? ''}`;
    return item;
  }

  /** Only the top rows are revealed. */
  getParent(): undefined {
    return undefined;
  }

  /** One object a row: the editor reveals what it knows. */
  #node(launchId: string): LaunchNode {
    const node = this.#nodes.get(launchId) ?? { launchId };
    this.#nodes.set(launchId, node);
    return node;
  }

  dispose(): void {
    for (const d of this.#disposables) d.dispose();
  }

  #show(): void {
    void commands.executeCommand('setContext', CONTEXT.launching, this.launches.here.length > 0);
    this.#changed.fire();
  }

  #launchItem(launch: Launch): TreeItem {
    const pod = this.store.find(launch.podId ?? '');
    const folder = Uri.parse(launch.folder, true).path.split('/').at(-1) ?? '';
    const item = new TreeItem(launch.podName ?? launch.profile ?? folder, TreeItemCollapsibleState.Expanded);
    const now = this.launches.now(launch.id);
    item.description = [l10n.t('from {0}', folder), pod && rate(pod.costPerHour), now ? undefined : l10n.t('stopped')].filter(Boolean).join(' · ');
    item.iconPath = now ? new ThemeIcon('loading~spin') : new ThemeIcon('debug-pause', new ThemeColor('testing.iconQueued'));
    item.contextValue = now ? 'launch running ' : 'launch stopped ';
    item.tooltip = capped(launch.stopped?.why ?? '', 2000);
    return item;
  }

  #stepItem(launch: Launch, step: LaunchStep): TreeItem {
    const now = this.launches.now(launch.id);
    const item = new TreeItem(stepTitle(step));
    const [icon, color, said] =
      now?.step === step
        ? ['loading~spin', undefined, now.detail]
        : !now && launch.stopped?.step === step
          ? ['error', 'testing.iconFailed', launch.stopped.why]
          : launch.skipped.includes(step)
            ? ['dash', undefined, l10n.t('not needed')]
            : launch.done.includes(step)
              ? ['pass', 'testing.iconPassed', this.#result(launch, step)]
              : ['circle-outline', undefined, ''];
    item.iconPath = new ThemeIcon(icon, color === undefined ? undefined : new ThemeColor(color));
    item.description = said;
    item.tooltip = said;
    item.contextValue = 'launchStep ';
    item.accessibilityInformation = { label: `${stepTitle(step)}, ${STATE[icon]?.() ?? ''} ${said}` };
    return item;
  }

  #result({ podName, target }: Launch, step: LaunchStep): string {
    if (step === 'create') return podName ?? '';
    return step === 'send' ? (target ?? '') : '';
  }
}

/** For those who do not see the icons. */
const STATE: Readonly<Record<string, () => string>> = {
  'loading~spin': () => l10n.t('under way'),
  error: () => l10n.t('failed'),
  dash: () => '',
  pass: () => l10n.t('done'),
  'circle-outline': () => l10n.t('to come'),
};
