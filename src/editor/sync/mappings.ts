import type { Memento, Uri } from 'vscode';

const KEY = 'runpod.sync.mappings';

/** Where a local folder lies on pods. */
export interface Mapping {
  /** Absolute, or below a pod's mount path. */
  readonly destination: string;
  /** The pod it was sent to last. */
  readonly podId: string;
}

/** Which place on pods each local folder has, remembered with the workspace. */
export class Mappings {
  constructor(private readonly memento: Memento) {}

  of(folder: Uri): Mapping | undefined {
    return this.#all()[folder.toString()];
  }

  /** Whether a folder, or one that it lies in, has been sent from this workspace. */
  knows(uri: Uri): boolean {
    const text = uri.toString();
    return Object.keys(this.#all()).some((folder) => text === folder || text.startsWith(`${folder.replace(/\/$/, '')}/`));
  }

  async remember(folder: Uri, mapping: Mapping): Promise<void> {
    const known = this.of(folder);
    if (known?.destination === mapping.destination && known.podId === mapping.podId) return;
    await this.memento.update(KEY, { ...this.#all(), [folder.toString()]: mapping });
  }

  #all(): Readonly<Record<string, Mapping>> {
    return this.memento.get<Record<string, Mapping>>(KEY) ?? {};
  }
}

/** A destination's absolute path on a pod. */
export function onPod(mount: string, destination: string): string {
  const parts = destination.split('/').filter((part) => part !== '' && part !== '.');
  const base = destination.startsWith('/') ? '' : mount.replace(/\/+$/, '');
  return `${base}/${parts.join('/')}`;
}

export const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

/** A path of a pod as it is remembered: below the mount path where it lies there, for the next pod may have another. */
export const belowMount = (mount: string, path: string): string => (isBelow(path, mount) ? path.slice(mount.length + 1) : path);
