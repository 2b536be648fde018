import { Uri } from 'vscode';
import type { ConflictChoice } from '../../sync/decide';
import { choices, targetId, Targets } from '../commands/command';
import type { Parts } from '../parts';
import { saveBelow } from '../saving';
import { destinationOf } from './destination';
import { localTree } from './localFolder';
import { belowMount } from './mappings';
import { pullFolder, remarksOnPull } from './pull';
import { pushFolder, remarksOn, type Pair } from './push';
import { sourceOf } from './source';

/** What Push gives back: counts, and names where a person would want them. */
export interface PushResult {
  readonly target: string;
  readonly files: number;
  readonly bytes: number;
  readonly unchanged: number;
  readonly removed: readonly string[];
  readonly conflicts: readonly string[];
  readonly newer: readonly string[];
  readonly secrets: readonly string[];
  readonly failed: readonly string[];
  /** With `dryRun`: what would be sent. */
  readonly send?: readonly string[];
}

export interface PullResult {
  readonly target: string;
  readonly files: number;
  readonly bytes: number;
  readonly conflicts: readonly string[];
  /** What the pod's versions of files that both sides changed are called here, where both are kept. */
  readonly beside: readonly string[];
  readonly deletedHere: readonly string[];
  readonly unplaceable: readonly string[];
  /** Changed on either side while it was brought: the next pull finds them. */
  readonly changed: readonly string[];
  readonly failed: readonly string[];
  /** With `dryRun`: what would be brought. */
  readonly bring?: readonly string[];
}

export interface SyncChoices {
  readonly given: boolean;
  readonly pod: string | undefined;
  readonly paths: readonly string[] | undefined;
  readonly destination: string | undefined;
  readonly mirror: boolean;
  readonly dryRun: boolean;
  readonly conflicts: ConflictChoice | undefined;
  readonly confirmed: boolean;
}

/** What was done, and what a person should know of it, line by line. */
export interface Done<T> {
  readonly result: T;
  readonly remarks: readonly string[];
}

/** The bodies of Push and Pull, for commands and tasks. */
export class SyncWork {
  readonly #targets: Targets;

  constructor(private readonly parts: Parts) {
    this.#targets = new Targets(parts.store, parts.activePod);
  }

  /** @param target a pod's row, a file or folder, or nothing @param others what else is chosen in the explorer */
  async pairFor(target: unknown, choice: SyncChoices, question: string, others: readonly Uri[] = []): Promise<Pair> {
    const { parts } = this;
    const row = target instanceof Uri || typeof target === 'string' ? undefined : targetId(target);
    const source = await sourceOf(row === undefined ? target : undefined, others);
    const { folder } = source;
    // Where it was sent last, unless this window has a pod of its own.
    const last = parts.activePod.id === undefined ? parts.store.find(parts.mappings.of(folder)?.podId ?? '') : undefined;
    const pod = await this.#targets.forUse(row ?? choice.pod ?? last?.id, question);
    return {
      guards: parts.guards,
      pod,
      session: parts.sessions.get(pod.id),
      files: parts.files(pod.id),
      folder,
      tree: localTree(folder),
      destination: choice.destination ?? (await destinationOf(parts.mappings, folder, pod.name)),
      paths: choice.paths ?? source.paths,
    };
  }

  async push(pair: Pair, choice: SyncChoices, signal?: AbortSignal): Promise<Done<PushResult>> {
    if (!choice.dryRun) await saveBelow(pair.folder);
    const { ledgers, log } = this.parts;
    const pushed = await pushFolder(ledgers, { ...pair, conflicts: choice.conflicts, confirmed: choice.confirmed, mirror: choice.mirror, dryRun: choice.dryRun }, signal);
    const { plan, target, files, bytes, removed, kept, failed, changedThere } = pushed;
    if (!choice.dryRun) await this.#remember(pair, pushed.mount, target);
    const remarks = remarksOn(pushed);
    for (const line of remarks) log.info(`Push: ${line}`);
    return {
      remarks,
      result: {
        target, files, bytes, removed,
        unchanged: plan.unchanged,
        conflicts: [...kept, ...changedThere],
        newer: plan.newer.map(({ path }) => path),
        secrets: plan.secrets,
        failed: [...failed.map(({ path }) => path), ...plan.blocked],
        ...(choice.dryRun ? { send: plan.send.map(({ path }) => path) } : {}),
      },
    };
  }

  async pull(pair: Pair, choice: SyncChoices, signal?: AbortSignal): Promise<Done<PullResult>> {
    // What is typed and not saved counts as changed here.
    if (!choice.dryRun) await saveBelow(pair.folder);
    const { ledgers, log } = this.parts;
    const pulled = await pullFolder(ledgers, { ...pair, conflicts: choice.conflicts, confirmed: choice.confirmed, dryRun: choice.dryRun }, signal);
    const { plan, target, files, bytes, changedHere, changedThere, blocked, failed } = pulled;
    if (!choice.dryRun) await this.#remember(pair, pulled.mount, target);
    const remarks = remarksOnPull(pulled);
    for (const line of remarks) log.info(`Pull: ${line}`);
    return {
      remarks,
      result: {
        target, files, bytes,
        conflicts: plan.kept,
        beside: plan.order.files.flatMap((file) => file.as ?? []),
        deletedHere: plan.deletedHere,
        unplaceable: plan.unplaceable.map(({ path }) => path),
        changed: [...changedHere, ...changedThere],
        failed: [...failed.map(({ path }) => path), ...blocked],
        ...(choice.dryRun ? { bring: plan.order.files.map(({ path }) => path) } : {}),
      },
    };
  }

  async #remember({ folder, pod }: Pair, mount: string, target: string): Promise<void> {
    await this.parts.mappings.remember(folder, { destination: belowMount(mount, target), podId: pod.id });
  }
}

/** What a command is called with, or a task says. */
export function readChoices(value: unknown): SyncChoices {
  const given = choices(value);
  const { pod, paths, destination, mirror, dryRun, conflicts, confirmed } = given ?? {};
  return {
    given: given !== undefined,
    pod: typeof pod === 'string' && pod !== '' ? pod : undefined,
    paths: Array.isArray(paths) ? paths.filter((path) => typeof path === 'string').map((path) => path.replaceAll('\\', '/').replace(/^(\.?\/)+|\/+$/g, '')) : undefined,
    destination: typeof destination === 'string' && destination !== '' ? destination : undefined,
    mirror: mirror === true,
    dryRun: dryRun === true,
    conflicts: conflicts === 'overwrite' || conflicts === 'keep' || conflicts === 'both' ? conflicts : undefined,
    confirmed: confirmed === true,
  };
}
