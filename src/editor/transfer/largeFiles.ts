import { l10n, Uri, window, workspace, type Tab } from 'vscode';
import { run } from '../commands/command';
import type { LargeFileGuard } from '../fileSystem/provider';
import { dataSize } from './words';

/** What an editor can do nothing with as text: the person usually wants the file itself. */
const parcels = /\.(pt|pth|ckpt|safetensors|gguf|onnx|bin|pkl|npz|npy|h5|parquet|arrow|tar|tgz|gz|zst|xz|bz2|zip|7z|rar|sqfs|img|iso)$/i;
const parcelBytes = 10_000_000;

/** Asks before a click pulls a big file into the editor, and shows the better way for one that came in by the Explorer. */
export class LargeFiles implements LargeFileGuard {
  readonly #allowed = new Set<string>();
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #declined = new Set<string>();
  #toldOfUploads = false;

  limit(uri: Uri): number | undefined {
    const threshold = thresholdBytes();
    if (threshold === undefined || this.#allowed.has(uri.toString())) return undefined;
    return parcels.test(uri.path) ? Math.min(threshold, parcelBytes) : threshold;
  }

  /** Asks when it is an editor that wants the file; a program is just told no. */
  mayOpen(uri: Uri, bytes: number | undefined): Promise<boolean> {
    const key = uri.toString();
    const known = this.#asking.get(key);
    if (known !== undefined) return known;
    if (tabsOf(uri).length === 0) return Promise.resolve(false);
    const asking = this.#ask(uri, bytes).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  refusal(uri: Uri, bytes: number | undefined): string {
    if (this.#declined.delete(uri.toString())) return l10n.t('{0} was not opened, as you said.', nameOf(uri));
    return l10n.t('{0} is too big to be pulled in unasked{1}. Use “Download from Pod…”, or open it in an editor and confirm.', nameOf(uri), bytes === undefined ? '' : ` (${dataSize(bytes)})`);
  }

  async #ask(uri: Uri, bytes: number | undefined): Promise<boolean> {
    const download = l10n.t('Download…');
    const open = l10n.t('Open Anyway');
    const size = bytes === undefined ? l10n.t('a big file') : dataSize(bytes);
    const answer = await window.showWarningMessage(l10n.t('Open {0} ({1}) in the editor?', nameOf(uri), size), { modal: true, detail: l10n.t('All of it would come over the connection into the editor’s memory.') }, download, open);
    if (answer === open) {
      this.#allowed.add(uri.toString());
      return true;
    }
    // The editor will say once more that it could not open the file; at least no empty tab stays behind.
    await window.tabGroups.close(tabsOf(uri), true);
    if (answer === download) void run('runpod.downloadFromPod', uri);
    this.#declined.add(uri.toString());
    return false;
  }

  wrote(_uri: Uri, size: number): void {
    const threshold = thresholdBytes();
    if (threshold === undefined || size <= threshold || this.#toldOfUploads) return;
    this.#toldOfUploads = true;
    void window.showInformationMessage(
      l10n.t('The Explorer hands a dropped file over in one piece, through memory and from the start again after a drop of the link. For files above {0}, “Upload to Pod…”, or a drop onto the pod’s row in the RunPod view, streams and resumes.', dataSize(threshold)),
    );
  }
}

/** `undefined`: never ask. */
function thresholdBytes(): number | undefined {
  const megabytes = workspace.getConfiguration('runpod').get<number>('files.askAboveMegabytes') ?? 50;
  return megabytes > 0 ? megabytes * 1_000_000 : undefined;
}

const nameOf = (uri: Uri): string => uri.path.split('/').at(-1) ?? uri.path;

/** The tabs that show this file, or are about to. */
function tabsOf(uri: Uri): Tab[] {
  const wanted = uri.toString();
  return window.tabGroups.all.flatMap(({ tabs }) =>
    tabs.filter(({ input }) => typeof input === 'object' && input !== null && Object.values(input).some((one) => one instanceof Uri && one.toString() === wanted)),
  );
}
