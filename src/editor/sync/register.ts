import { l10n, Uri, window, type Disposable } from 'vscode';
import { choices, command, showError, targetId, Targets } from '../commands/command';
import type { Parts } from '../parts';
import type { ConflictChoice } from '../../sync/decide';
import { folderName, localTree } from './localFolder';
import { saveBelow } from '../saving';
import { belowMount } from './mappings';
import { UploadOnSave } from './onSave';
import { pullFolder, remarksOnPull } from './pull';
import { pushFolder, remarksOn, type Pair } from './push';
import { sourceOf } from './source';
import { showStatus, syncStatus, type SyncStatus } from './status';

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

interface SyncChoices {
  readonly given: boolean;
  readonly pod: string | undefined;
  readonly paths: readonly string[] | undefined;
  readonly destination: string | undefined;
  readonly mirror: boolean;
  readonly dryRun: boolean;
  readonly conflicts: ConflictChoice | undefined;
  readonly confirmed: boolean;
}

/** Push, Pull, Sync Status and upload on save. */
export function registerSync(parts: Parts): Disposable[] {
  const { log, ledgers, mappings } = parts;
  const targets = new Targets(parts.store, parts.activePod);

  async function pairFor(target: unknown, second: unknown, question: string): Promise<{ pair: Pair; choice: SyncChoices }> {
    const choice = readChoices(second);
    const row = target instanceof Uri || typeof target === 'string' ? undefined : targetId(target);
    const others = Array.isArray(second) ? second.filter((one) => one instanceof Uri) : [];
    const source = await sourceOf(row === undefined ? target : undefined, others);
    const { folder } = source;
    // Where it was sent last, unless this window has a pod of its own.
    const last = parts.activePod.id === undefined ? parts.store.find(mappings.of(folder)?.podId ?? '') : undefined;
    const pod = await targets.forUse(row ?? choice.pod ?? last?.id, question);
    const paths = choice.paths ?? source.paths;
    const destination = choice.destination ?? mappings.of(folder)?.destination ?? folderName(folder);
    return { choice, pair: { pod, session: parts.sessions.get(pod.id), files: parts.files(pod.id), folder, tree: localTree(folder), destination, paths } };
  }

  async function push(pair: Pair, choice: SyncChoices): Promise<PushResult> {
    const pushed = await pushFolder(ledgers, { ...pair, conflicts: choice.conflicts, confirmed: choice.confirmed, mirror: choice.mirror, dryRun: choice.dryRun });
    const { plan, target, files, bytes, removed, kept, failed } = pushed;
    if (!choice.dryRun) await mappings.remember(pair.folder, { destination: belowMount(pushed.mount, target), podId: pair.pod.id });
    const remarks = remarksOn(pushed);
    for (const line of remarks) log.info(`Push: ${line}`);
    if (!choice.given) void window.showInformationMessage(remarks.join(' '));
    return {
      target, files, bytes, removed,
      unchanged: plan.unchanged,
      conflicts: kept,
      newer: plan.newer.map(({ path }) => path),
      secrets: plan.secrets,
      failed: failed.map(({ path }) => path),
      ...(choice.dryRun ? { send: plan.send.map(({ path }) => path) } : {}),
    };
  }

  async function pull(pair: Pair, choice: SyncChoices): Promise<PullResult> {
    const pulled = await pullFolder(ledgers, { ...pair, conflicts: choice.conflicts, confirmed: choice.confirmed, dryRun: choice.dryRun });
    const { plan, target, files, bytes, changedHere, changedThere, failed } = pulled;
    if (!choice.dryRun) await mappings.remember(pair.folder, { destination: belowMount(pulled.mount, target), podId: pair.pod.id });
    const remarks = remarksOnPull(pulled);
    for (const line of remarks) log.info(`Pull: ${line}`);
    if (!choice.given) void window.showInformationMessage(remarks.join(' '));
    return {
      target, files, bytes,
      conflicts: plan.kept,
      beside: plan.order.files.flatMap((file) => file.as ?? []),
      deletedHere: plan.deletedHere,
      unplaceable: plan.unplaceable.map(({ path }) => path),
      changed: [...changedHere, ...changedThere],
      failed: failed.map(({ path }) => path),
      ...(choice.dryRun ? { bring: plan.order.files.map(({ path }) => path) } : {}),
    };
  }

  return [
    new UploadOnSave(parts),
    command('runpod.push', log, async (target, second) => {
      const { pair, choice } = await pairFor(target, second, l10n.t('Push to which pod?'));
      if (!choice.dryRun) await saveBelow(pair.folder);
      return push(pair, choice);
    }),
    command('runpod.pull', log, async (target, second) => {
      const { pair, choice } = await pairFor(target, second, l10n.t('Pull from which pod?'));
      // What is typed and not saved counts as changed here.
      if (!choice.dryRun) await saveBelow(pair.folder);
      return pull(pair, choice);
    }),
    command('runpod.syncStatus', log, async (target, second): Promise<SyncStatus> => {
      const { pair, choice } = await pairFor(target, second, l10n.t('Compare with which pod?'));
      const status = await syncStatus(ledgers, pair);
      // The list stays as long as it is looked at; the command has its result.
      if (!choice.given) void showStatus(status, pair, async () => (await saveBelow(pair.folder), push(pair, readChoices(undefined))), async () => (await saveBelow(pair.folder), pull(pair, readChoices(undefined)))).catch(showError);
      return status;
    }),
  ];
}

function readChoices(value: unknown): SyncChoices {
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
