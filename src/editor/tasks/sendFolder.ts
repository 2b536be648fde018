import type { Uri } from 'vscode';
import type { PodFiles } from '../../files/pod/podFiles';
import type { PodSession } from '../../pods/session';
import type { Pod } from '../../runpod/types';
import type { LocalTree } from '../../sync/localTree';
import { destinationOf } from '../sync/destination';
import { pushFolder, remarksOn, type Pair } from '../sync/push';
import { belowMount, type Mappings } from '../sync/mappings';
import type { Ledgers } from '../sync/ledgers';

export interface SendOptions {
  readonly guards: Pair['guards'];
  readonly pod: Pod;
  readonly session: PodSession;
  readonly files: PodFiles;
  readonly folder: Uri;
  readonly tree: LocalTree;
  /** What the caller has decided already, so that nobody is asked. */
  readonly conflicts?: 'overwrite' | 'keep' | undefined;
  readonly confirmed?: boolean | undefined;
}

export interface Sent {
  /** Absolute path of the folder on the pod. */
  readonly target: string;
  /** What a person should know, for the run's terminal. */
  readonly remarks: readonly string[];
}

/** Sends what changed in a local folder to its place on a pod, with progress and questions. */
export async function sendFolder(ledgers: Ledgers, mappings: Mappings, options: SendOptions, outer?: AbortSignal): Promise<Sent> {
  const { folder, pod } = options;
  const pushed = await pushFolder(ledgers, { ...options, destination: await destinationOf(mappings, folder, pod.name) }, outer);
  await mappings.remember(folder, { destination: belowMount(pushed.mount, pushed.target), podId: pod.id });
  return { target: pushed.target, remarks: remarksOn(pushed) };
}
