import { l10n, workspace, type Disposable, type Uri } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import { lookOf } from '../podsView/state';
import type { Parts } from '../parts';
import { settings } from '../settings';
import { localTree } from './localFolder';
import { run } from '../commands/command';
import { destinationOf } from './destination';
import { pushFolder } from './push';
import { isLocal } from './source';
import { notice } from '../prompts/notice';

/** Saves that come together go together. */
const TOGETHER_MS = 200;
const SHOWN_MS = 4_000;

/**
 * Sends a file of a folder that was pushed before as soon as it is saved, where the setting says so and the folder is trusted.
 * Never asks: what the pod changed meanwhile stays as it is there, and that is said.
 */
export class UploadOnSave implements Disposable {
  readonly #waiting = new Map<string, { readonly folder: Uri; readonly paths: Set<string>; timer: NodeJS.Timeout }>();
  readonly #listener: Disposable;
  /** What went wrong was said, and nothing has gone well since. */
  #told = false;

  constructor(private readonly parts: Parts) {
    this.#listener = workspace.onDidSaveTextDocument(({ uri }) => this.#saved(uri));
  }

  dispose(): void {
    this.#listener.dispose();
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
  }

  #saved(uri: Uri): void {
    const folder = workspace.getWorkspaceFolder(uri)?.uri;
    if (folder === undefined || !isLocal(uri) || !workspace.isTrusted || !settings.uploadOnSave(uri) || this.parts.mappings.of(folder) === undefined) return;
    const key = folder.toString();
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) clearTimeout(waiting.timer);
    const paths = waiting?.paths ?? new Set<string>();
    paths.add(uri.path.slice(folder.path.replace(/\/+$/, '').length + 1));
    const timer = setTimeout(() => {
      this.#waiting.delete(key);
      void this.#send(folder, [...paths]);
    }, TOGETHER_MS);
    this.#waiting.set(key, { folder, paths, timer });
  }

  async #send(folder: Uri, paths: readonly string[]): Promise<void> {
    const { guards, ledgers, mappings, store, sessions, log } = this.parts;
    const mapping = mappings.of(folder);
    const pod = mapping && store.find(mapping.podId);
    if (mapping === undefined || pod === undefined || lookOf(pod) !== 'running') {
      log.info(`Not sent on save, for the pod does not run: ${paths.join(', ')}`);
      return;
    }
    try {
      const pushed = await pushFolder(ledgers, { guards, pod, session: sessions.get(pod.id), files: this.parts.files(pod.id), folder, tree: localTree(folder), destination: await destinationOf(mappings, folder, pod.name), paths, strict: true, conflicts: 'keep', confirmed: true });
      if (pushed.kept.length > 0) await this.#tell(l10n.t('Changed on {0} as well, so not sent on save: {1}.', pod.name, pushed.kept.join(', ')), folder);
      else {
        this.#told = false;
        if (pushed.files > 0) notice.brief(l10n.t('{0} sent to {1}', paths.map((path) => path.split('/').at(-1) ?? path).join(', '), pod.name), SHOWN_MS, 'cloud-upload');
      }
    } catch (error) {
      if (isCancelled(error)) return;
      log.error(`Upload on save: ${messageOf(error)}`);
      await this.#tell(l10n.t('Saved here, and not sent to {0}: {1}', pod.name, messageOf(error)), folder);
    }
  }

  async #tell(message: string, folder: Uri): Promise<void> {
    if (this.#told) return;
    this.#told = true;
    const show = l10n.t('Sync Status');
    if ((await notice.warn(message, show)) === show) await run('runpod.syncStatus', folder);
  }
}
