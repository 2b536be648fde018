import type { Uri} from 'vscode';
import { commands, l10n, window, workspace } from 'vscode';
import { run } from '../commands/command';
import type { LargeFileGuard } from '../fileSystem/provider';
import { dataSize } from './words';

/** What an editor can do nothing with as text: the person usually wants the file itself. */
const parcels = /\.(pt|pth|ckpt|safetensors|gguf|onnx|bin|pkl|npz|npy|h5|parquet|arrow|tar|tgz|gz|zst|xz|bz2|zip|7z|rar|sqfs|img|iso)$/i;
const parcelBytes = 10_000_000;

/** Asks before a click pulls a big file into the editor, and shows the better way for one that came in by the Explorer. */
export class LargeFiles implements LargeFileGuard {
  readonly #allowed = new Set<string>();
  readonly #asking = new Set<string>();
  #toldOfUploads = false;

  limit(uri: Uri): number | undefined {
    const threshold = thresholdBytes();
    if (threshold === undefined || this.#allowed.has(uri.toString())) return undefined;
    return parcels.test(uri.path) ? Math.min(threshold, parcelBytes) : threshold;
  }

  /** Words for the place where the content would have been; the choice comes as a message beside it. */
  refused(uri: Uri, size: number | undefined): string {
    void this.#ask(uri, size);
    return l10n.t('{0} is big{1}. Download it, or open it anyway.', nameOf(uri), size === undefined ? '' : ` (${dataSize(size)})`);
  }

  async #ask(uri: Uri, size: number | undefined): Promise<void> {
    const key = uri.toString();
    if (this.#asking.has(key)) return;
    this.#asking.add(key);
    const download = l10n.t('Download…');
    const open = l10n.t('Open Anyway');
    try {
      const answer = await window.showWarningMessage(l10n.t('{0} is {1}: all of it would come over the connection into the editor’s memory.', nameOf(uri), size === undefined ? l10n.t('big') : dataSize(size)), download, open);
      if (answer === download) await run('runpod.downloadFromPod', uri);
      if (answer === open) {
        this.#allowed.add(key);
        await commands.executeCommand('workbench.action.closeActiveEditor');
        await commands.executeCommand('vscode.open', uri);
      }
    } finally {
      this.#asking.delete(key);
    }
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
