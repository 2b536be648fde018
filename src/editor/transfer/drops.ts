import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { l10n, ProgressLocation, Uri, workspace, type CancellationToken, type DataTransfer, type TreeDragAndDropController } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import { showError } from '../commands/command';
import type { Parts } from '../parts';
import type { PodsNode } from '../podsView/nodes';
import { SCHEME } from '../ids';
import { isOnPod, localPath } from './arguments';
import { mountOf } from './commands';
import { runTransfer } from './run';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

/** What is dropped onto a pod's row, or a row below it, is uploaded to its mount path. */
export class PodDrops implements TreeDragAndDropController<PodsNode> {
  readonly dropMimeTypes = ['text/uri-list', 'files'];
  readonly dragMimeTypes = [];
  #parts: Parts | undefined;

  /** The view is made before there is anything to upload with. */
  useParts(parts: Parts): void {
    this.#parts = parts;
  }

  async handleDrop(target: PodsNode | undefined, data: DataTransfer, _token: CancellationToken): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    try {
      // The data is there for the length of this call only.
      const uris = await urisIn(data);
      const contents = uris.length > 0 ? [] : filesIn(data);
      const podId = target !== undefined && 'podId' in target ? target.podId : undefined;
      if (podId === undefined) {
        void notice.inform(l10n.t('Drop files onto the row of the pod that is to have them.'));
        return;
      }
      if (contents.length > 0) await this.#uploadContents(parts, podId, contents);
      else await this.#uploadUris(parts, podId, uris);
    } catch (error) {
      if (isCancelled(error)) return;
      parts.log.error(`drop: ${messageOf(error)}`);
      await showError(error);
    }
  }

  async #uploadUris(parts: Parts, podId: string, uris: readonly Uri[]): Promise<void> {
    const fromPods = uris.filter(isOnPod);
    const fromHere = uris.filter((uri) => !isOnPod(uri)).map(localPath);
    if (fromHere.length > 0) await this.#upload(parts, podId, fromHere);
    if (fromPods.length > 0) await this.#copy(parts, podId, fromPods);
  }

  async #upload(parts: Parts, podId: string, sources: readonly string[]): Promise<void> {
    const pod = await parts.reach.getPod(podId, AbortSignal.timeout(20_000));
    await runTransfer(parts, { pod, direction: 'upload', sources, destination: mountOf(pod), conflicts: undefined, silent: false });
  }

  /** From one pod to another, or to the top of the same one. */
  async #copy(parts: Parts, podId: string, sources: readonly Uri[]): Promise<void> {
    const pod = await parts.reach.getPod(podId, AbortSignal.timeout(20_000));
    await withProgress({ location: ProgressLocation.Notification, title: l10n.t('Copying to {0}', pod.name) }, async () => {
      for (const source of sources) {
        const name = source.path.split('/').at(-1) ?? '';
        await workspace.fs.copy(source, Uri.from({ scheme: SCHEME, authority: podId, path: `${mountOf(pod)}/${name}` }), { overwrite: false });
      }
    });
  }

  /** A browser hands over content without a path; it takes the same way from a folder of its own. */
  async #uploadContents(parts: Parts, podId: string, files: readonly { readonly name: string; readonly data: () => Thenable<Uint8Array> }[]): Promise<void> {
    const read = await Promise.all(files.map(async ({ name, data }) => ({ name: basename(name), data: await data() })));
    const folder = await mkdtemp(join(tmpdir(), 'runpod-drop-'));
    try {
      for (const { name, data } of read) await writeFile(join(folder, name), data);
      await this.#upload(parts, podId, read.map(({ name }) => join(folder, name)));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function urisIn(data: DataTransfer): Promise<Uri[]> {
  const list = (await data.get('text/uri-list')?.asString()) ?? '';
  const uris = list
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => Uri.parse(line, true));
  for (const [, item] of data) {
    const { uri } = item.asFile() ?? {};
    if (uri !== undefined && !uris.some((known) => known.toString() === uri.toString())) uris.push(uri);
  }
  return uris;
}

function filesIn(data: DataTransfer): { readonly name: string; readonly data: () => Thenable<Uint8Array> }[] {
  const files: { readonly name: string; readonly data: () => Thenable<Uint8Array> }[] = [];
  for (const [, item] of data) {
    const file = item.asFile();
    if (file !== undefined) files.push({ name: file.name, data: () => file.data() });
  }
  return files;
}
