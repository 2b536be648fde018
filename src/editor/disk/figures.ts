import { l10n, window, workspace, type Disposable } from 'vscode';
import { Emitter } from '../../base/emitter';
import { messageOf } from '../../base/errors';
import type { Pod } from '../../runpod/types';
import { SCHEME } from '../ids';
import type { Parts } from '../parts';
import { dataSize, shortTime } from '../words';
import { run } from '../commands/command';
import { measureFolder, type FolderUse } from './du';
import { notice } from '../prompts/notice';

export interface Measured extends FolderUse {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of the disk the folder is on; absent where nobody can tell. */
  readonly size?: number;
  readonly free?: number;
}

/** Less than this is told once, before saves begin to fail. */
const tight = (size: number): number => Math.min(size * 0.05, 5_000_000_000);
const everyMs = 5 * 60_000;

/** What is known of pods' disks: measured when asked, with its age; free space of volume disks watched while a folder is open. */
export class DiskFigures implements Disposable {
  readonly #changed = new Emitter<void>();
  readonly onDidChange = (listener: () => void): Disposable => this.#changed.event(listener);
  readonly #mounts = new Map<string, Measured>();
  readonly #warned = new Set<string>();
  readonly #subscriptions: Disposable[] = [];
  #parts: Parts | undefined;

  /** The view is made before there is anything to measure with. */
  useParts(parts: Parts): void {
    this.#parts = parts;
    const timer = setInterval(() => void this.#lookAround(), everyMs);
    this.#subscriptions.push(
      { dispose: () => clearInterval(timer) },
      parts.sessions.onDidChange((session) => {
        if (session.state === 'connected') void this.#look(session.podId);
      }),
    );
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }

  /** For the storage row: `41 GB used, 59 GB free, 3m ago`; `undefined` before anybody asked. */
  textOf(podId: string): string | undefined {
    const known = this.#mounts.get(podId);
    if (known === undefined) return undefined;
    const used = l10n.t('{0} used', `${known.partial ? '> ' : ''}${dataSize(known.bytes)}`);
    const free = known.free === undefined ? undefined : l10n.t('{0} free', dataSize(known.free));
    return [used, free, l10n.t('{0} ago', shortTime(Date.now() - known.at))].filter(Boolean).join(', ');
  }

  /** Adds up a folder and asks what its disk holds. */
  async measure(pod: Pod, path: string, signal?: AbortSignal): Promise<Measured> {
    const parts = this.#given();
    const session = parts.sessions.get(pod.id);
    const [use, disk] = await Promise.all([measureFolder(session, path, signal), this.#diskOf(pod, path)]);
    const measured: Measured = { ...use, at: Date.now(), ...(disk?.size === undefined ? {} : { size: disk.size }), ...(disk?.free === undefined ? {} : { free: disk.free }) };
    if (path === pod.mount?.path) {
      // Of a network volume nothing else tells how full it is.
      const full: Measured = pod.mount.kind === 'network' && measured.size !== undefined ? { ...measured, free: Math.max(0, measured.size - measured.bytes) } : measured;
      this.#mounts.set(pod.id, full);
      this.#changed.fire();
      this.#warnIfTight(pod, full.size, full.free);
      return full;
    }
    return measured;
  }

  #given(): Parts {
    if (this.#parts === undefined) throw new Error('Nothing to measure with yet');
    return this.#parts;
  }

  /**
   * Size and free bytes of the disk below a path. `statvfs` is right for disks of the pod's machine; of a network volume it
   * shows the data center's whole pool, so its size comes from the API.
   */
  async #diskOf(pod: Pod, path: string): Promise<{ readonly size?: number; readonly free?: number } | undefined> {
    const parts = this.#given();
    const { mount } = pod;
    const onMount = mount !== undefined && (path === mount.path || path.startsWith(`${mount.path}/`));
    try {
      if (onMount && mount.kind === 'network') {
        const { sizeGb } = await (await parts.api.client()).networkVolumes.get(mount.volumeId);
        return sizeGb === undefined ? undefined : { size: sizeGb * 1_000_000_000 };
      }
      const space = await parts.files(pod.id).space(path);
      return space === undefined || space.totalBlocks === 0 ? undefined : { size: space.totalBlocks * space.blockSize, free: space.freeBlocks * space.blockSize };
    } catch (error) {
      parts.log.debug(`disk of ${pod.id}: ${messageOf(error)}`);
      return undefined;
    }
  }

  async #lookAround(): Promise<void> {
    if (!window.state.focused) return;
    for (const { uri } of workspace.workspaceFolders ?? []) if (uri.scheme.startsWith(SCHEME)) await this.#look(uri.authority);
  }

  /** One question, over a connection that is there, about a volume disk whose folder is open. */
  async #look(podId: string): Promise<void> {
    const parts = this.#given();
    const pod = parts.store.find(podId);
    const open = (workspace.workspaceFolders ?? []).some(({ uri }) => uri.scheme === SCHEME && uri.authority === podId);
    if (!open || pod?.mount?.kind !== 'persistent' || parts.sessions.peek(podId)?.state !== 'connected') return;
    const disk = await this.#diskOf(pod, pod.mount.path);
    this.#warnIfTight(pod, disk?.size, disk?.free);
  }

  #warnIfTight(pod: Pod, size: number | undefined, free: number | undefined): void {
    if (size === undefined || free === undefined) return;
    if (free > tight(size) * 1.5) this.#warned.delete(pod.id);
    if (free > tight(size) || this.#warned.has(pod.id)) return;
    this.#warned.add(pod.id);
    void this.#warn(pod, size, free);
  }

  async #warn(pod: Pod, size: number, free: number): Promise<void> {
    const measure = l10n.t('What Takes the Room?');
    const path = pod.mount?.path ?? '/';
    const answer = await notice.warn(l10n.t('{0} on {1} is nearly full: {2} of {3} left. On a full disk nothing can be saved, and runs fail.', path, pod.name, dataSize(free), dataSize(size)), measure);
    if (answer === measure) await run('runpod.measureDiskUse', { podId: pod.id, kind: 'storage' });
  }
}
