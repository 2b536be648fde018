import { commands, l10n, Uri, window, workspace, type Disposable, type Tab, type WorkspaceConfiguration } from 'vscode';
import { sleep } from '../../base/time';
import { run } from '../commands/command';
import { dataSize } from '../words';
import { isTooLargeForEditor } from './errors';
import type { LargeFileGuard } from './provider';
import { notice } from '../prompts/notice';

/** What an editor can do nothing with as text: the person usually wants the file itself. */
const parcels = /\.(pt|pth|ckpt|safetensors|gguf|onnx|bin|pkl|npz|npy|h5|parquet|arrow|tar|tgz|gz|zst|xz|bz2|zip|7z|rar|sqfs|img|iso)$/i;
const parcelBytes = 10_000_000;
const sameBreathMs = 25;
/** A refusal is told with the stat that was asked for beside; should it take long, no later one is taken for it. */
const tellMs = 1_000;

/**
 * Keeps big files from being pulled into the editor by a click. The first time the editor says in the file's place that it is very
 * large, and a notification offers the download; who asks for it again is asked once whether it is meant.
 */
export class LargeFiles implements LargeFileGuard, Disposable {
  readonly #allowed = new Set<string>();
  /** Files in whose place the editor says that they are too big. */
  readonly #refused = new Set<string>();
  /** What an editor reads right now, and whether it is refused in the end. */
  readonly #reads = new Map<string, Promise<boolean>>();
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #tabs = window.tabGroups.onDidChangeTabs(({ closed }) => {
    for (const uri of closed.flatMap(urisOf)) this.#refused.delete(uri.toString());
  });
  #toldOfUploads = false;

  dispose(): void {
    this.#tabs.dispose();
  }

  limit(uri: Uri): number | undefined {
    const threshold = thresholdBytes();
    if (threshold === undefined || this.#allowed.has(uri.toString())) return undefined;
    return parcels.test(uri.path) ? Math.min(threshold, parcelBytes) : threshold;
  }

  async mayOpen(uri: Uri, bytes: number | undefined): Promise<boolean> {
    const key = uri.toString();
    // A program is just told no.
    if (tabsOf(uri).length === 0) return false;
    if (!this.#refused.has(key)) {
      this.#refused.add(key);
      void this.#offer(uri, bytes);
      return false;
    }
    const known = this.#asking.get(key);
    if (known !== undefined) return known;
    const asking = this.#ask(uri, bytes).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  reading(uri: Uri, read: Promise<unknown>): void {
    const key = uri.toString();
    const refused = read.then(() => false, isTooLargeForEditor);
    this.#reads.set(key, refused);
    void refused.then(async () => {
      await sleep(tellMs);
      if (this.#reads.get(key) === refused) this.#reads.delete(key);
    });
  }

  async isRefused(uri: Uri, bytes: number): Promise<boolean> {
    const limit = this.limit(uri);
    if (limit === undefined || bytes <= limit || tabsOf(uri).length === 0) return false;
    // The editor asks for the stat first and for the content in the same breath.
    await sleep(sameBreathMs);
    const refused = (await this.#reads.get(uri.toString())) ?? false;
    this.#reads.delete(uri.toString());
    return refused;
  }

  refusal(uri: Uri, bytes: number | undefined): string {
    return l10n.t('{0} is too big to be pulled in unasked{1}. Use “Download from Pod…”, or open it in an editor and confirm.', nameOf(uri), bytes === undefined ? '' : ` (${dataSize(bytes)})`);
  }

  wrote(_uri: Uri, size: number): void {
    const threshold = thresholdBytes();
    if (threshold === undefined || size <= threshold || this.#toldOfUploads) return;
    this.#toldOfUploads = true;
    void notice.inform(
      l10n.t('The Explorer hands a dropped file over in one piece, through memory and from the start again after a drop of the link. For files above {0}, “Upload to Pod…”, or a drop onto the pod’s row in the RunPod view, streams and resumes.', dataSize(threshold)),
    );
  }

  async #offer(uri: Uri, bytes: number | undefined): Promise<void> {
    const download = l10n.t('Download…');
    const answer = await notice.inform(l10n.t('{0} ({1}) is not pulled into the editor unasked.', nameOf(uri), sizeWords(bytes)), download, openAnyway());
    if (answer === download) await this.#download(uri);
    if (answer !== openAnyway()) return;
    this.#allow(uri);
    await commands.executeCommand('vscode.open', uri);
  }

  async #ask(uri: Uri, bytes: number | undefined): Promise<boolean> {
    const download = l10n.t('Download…');
    const answer = await notice.ask(
      l10n.t('Open {0} ({1}) in the editor?', nameOf(uri), sizeWords(bytes)),
      l10n.t('All of it would come over the connection into the editor’s memory.'),
      download,
      openAnyway(),
    );
    if (answer === openAnyway()) this.#allow(uri);
    // Not before the editor has heard that it does not get the file.
    if (answer === download) setTimeout(() => void this.#download(uri));
    return answer === openAnyway();
  }

  #allow(uri: Uri): void {
    this.#allowed.add(uri.toString());
  }

  /** Who wants the file itself has no use for a tab that says that it is not shown. */
  async #download(uri: Uri): Promise<void> {
    await window.tabGroups.close(tabsOf(uri), true);
    await run('runpod.downloadFromPod', uri);
  }
}

const openAnyway = (): string => l10n.t('Open Anyway');
const sizeWords = (bytes: number | undefined): string => (bytes === undefined ? l10n.t('a big file') : dataSize(bytes));

/** `undefined`: never ask. The editor's own setting, which its “Configure Limit” leads to, counts where ours is not set. */
function thresholdBytes(): number | undefined {
  const ours = workspace.getConfiguration('runpod');
  const editors = setByPerson(workspace.getConfiguration('workbench'), 'editorLargeFileConfirmation');
  const megabytes = setByPerson(ours, 'files.askAboveMegabytes') ?? editors ?? ours.get<number>('files.askAboveMegabytes') ?? 50;
  return megabytes > 0 ? megabytes * 1_000_000 : undefined;
}

function setByPerson(section: WorkspaceConfiguration, key: string): number | undefined {
  const { workspaceFolderValue, workspaceValue, globalValue } = section.inspect<number>(key) ?? {};
  const value = workspaceFolderValue ?? workspaceValue ?? globalValue;
  return typeof value === 'number' ? value : undefined;
}

const nameOf = (uri: Uri): string => uri.path.split('/').at(-1) ?? uri.path;

const urisOf = ({ input }: Tab): Uri[] => (typeof input === 'object' && input !== null ? Object.values(input).filter((one) => one instanceof Uri) : []);

/** The tabs that show this file, or are about to. */
function tabsOf(uri: Uri): Tab[] {
  const wanted = uri.toString();
  return window.tabGroups.all.flatMap(({ tabs }) => tabs.filter((tab) => urisOf(tab).some((one) => one.toString() === wanted)));
}
