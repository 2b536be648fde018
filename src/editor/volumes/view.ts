import { EventEmitter, l10n, ThemeIcon, TreeItem, window, type Disposable, type TreeDataProvider, type TreeView } from 'vscode';
import { networkVolumePerMonth } from '../../pods/money';
import type { PodStore } from '../../pods/store';
import type { NetworkVolume } from '../../runpod/types';
import type { Api } from '../api';
import { explain } from '../errorWords';
import { gigabytes, money } from '../words';

export const VIEW_VOLUMES = 'runpod.volumes';

/** A row of the view; commands take it as their target. */
export interface VolumeNode {
  readonly volumeId: string;
}

/** The account's network volumes: asked for when somebody looks, and after each change. */
export class VolumesView implements TreeDataProvider<VolumeNode>, Disposable {
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: TreeView<VolumeNode>;
  readonly #subscriptions: Disposable[];
  #volumes: readonly NetworkVolume[] | undefined;
  #reading: Promise<void> | undefined;

  constructor(
    private readonly api: Api,
    private readonly store: PodStore,
    onKeyChanged: (listener: () => void) => Disposable,
  ) {
    this.#view = window.createTreeView(VIEW_VOLUMES, { treeDataProvider: this });
    this.#subscriptions = [
      this.#view,
      this.#changed,
      this.#view.onDidChangeVisibility((e) => (e.visible ? void this.refresh() : undefined)),
      // Which pods use a volume is the pods' to tell.
      store.onDidChange(() => (this.#view.visible && this.#volumes ? this.#changed.fire(undefined) : undefined)),
      onKeyChanged(() => {
        this.#volumes = undefined;
        if (this.#view.visible) void this.refresh();
      }),
    ];
  }

  get volumes(): readonly NetworkVolume[] {
    return this.#volumes ?? [];
  }

  /** Asks now. Never rejects: what went wrong stands in the view. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async getChildren(node?: VolumeNode): Promise<VolumeNode[]> {
    if (node) return [];
    if (this.#volumes === undefined) await this.refresh();
    return [...this.volumes].sort((a, b) => a.name.localeCompare(b.name)).map(({ id }) => ({ volumeId: id }));
  }

  getTreeItem(node: VolumeNode): TreeItem {
    const volume = this.volumes.find((v) => v.id === node.volumeId);
    const item = new TreeItem(volume?.name ?? node.volumeId);
    item.id = `volume:${node.volumeId}`;
    item.iconPath = new ThemeIcon('database');
    item.contextValue = 'volume ';
    if (volume) Object.assign(item, wordsFor(volume, this.users(volume.id)));
    return item;
  }

  /** Names of the pods that have it mounted. */
  users(volumeId: string): string[] {
    return this.store.state.pods.filter((p) => p.mount?.kind === 'network' && p.mount.volumeId === volumeId).map((p) => p.name);
  }

  dispose(): void {
    for (const s of this.#subscriptions) s.dispose();
  }

  async #read(): Promise<void> {
    try {
      if (this.store.state.phase === 'no-key') return void (this.#volumes = []);
      this.#volumes = await (await this.api.client()).networkVolumes.list();
      this.#view.message = this.#volumes.length === 0 ? l10n.t('No network volumes. One keeps its files when a pod is terminated, and serves many pods of its data center.') : '';
    } catch (error) {
      this.#view.message = explain(error).message;
      this.#volumes ??= [];
    }
    this.#changed.fire(undefined);
  }
}

function wordsFor(volume: NetworkVolume, users: readonly string[]): Pick<TreeItem, 'description' | 'tooltip' | 'accessibilityInformation'> {
  const size = volume.sizeGb === undefined ? undefined : gigabytes(volume.sizeGb);
  const cost = volume.sizeGb === undefined ? undefined : l10n.t('{0} a month', money(networkVolumePerMonth({ sizeGb: volume.sizeGb }), { estimate: true }));
  const used = users.length === 0 ? l10n.t('used by no pod') : l10n.t('used by {0}', users.join(', '));
  const description = [size, cost, volume.dataCenterId, users.length > 0 ? users.join(', ') : undefined].filter(Boolean).join(' · ');
  return {
    description,
    tooltip: [volume.name, `${[size, cost].filter(Boolean).join(', ')}, ${volume.type === 'HIGH_PERFORMANCE' ? l10n.t('high performance') : l10n.t('standard')}`, l10n.t('In {0}: pods that use it are placed there.', volume.dataCenterId ?? '?'), used, l10n.t('It bills by itself, with or without a pod.')].join('\n'),
    accessibilityInformation: { label: `${volume.name}, ${description}, ${used}` },
  };
}
