import { l10n, workspace, type Memento, type WorkspaceFolder } from 'vscode';
import { UntrustedFolderError } from './folder';
import { notice } from '../prompts/notice';

const KEY = 'runpod.folderConsents';

/** What a folder asks a person's leave for, each thing by its name. */
export interface ConsentQuestion {
  /** What it is about, to keep one answer from standing for another: `variables:train`, `connection`. */
  readonly about: string;
  /** Everything the answer covers; another word among them is another question. */
  readonly covers: readonly string[];
  readonly message: string;
  readonly detail: string;
  readonly verb: string;
}

/**
 * A folder cannot spend or leak by itself: what leaves this machine, and any host or key written in the folder, is agreed to
 * by name, once for a folder, and again when it changes. Kept on this machine, never in the folder.
 */
export class FolderConsents {
  constructor(private readonly memento: Memento) {}

  /** @throws CancelledError when it is not agreed to; UntrustedFolderError in an untrusted window */
  async require(folder: WorkspaceFolder, question: ConsentQuestion): Promise<void> {
    if (!workspace.isTrusted) throw new UntrustedFolderError(l10n.t('Nothing of an untrusted folder is used. Trust {0} first.', folder.name));
    if (this.given(folder, question)) return;
    const changed = this.#all()[keyOf(folder, question)] !== undefined ? `${l10n.t('This has changed since you agreed to it.')}\n\n` : '';
    await notice.confirm(question.message, changed + question.detail, question.verb);
    await this.give(folder, question);
  }

  /** Whether exactly this was agreed to. */
  given(folder: WorkspaceFolder, question: Pick<ConsentQuestion, 'about' | 'covers'>): boolean {
    return workspace.isTrusted && this.#all()[keyOf(folder, question)] === coveredBy(question);
  }

  /** For who has asked in another way. */
  async give(folder: WorkspaceFolder, question: Pick<ConsentQuestion, 'about' | 'covers'>): Promise<void> {
    await this.memento.update(KEY, { ...this.#all(), [keyOf(folder, question)]: coveredBy(question) });
  }

  #all(): Readonly<Record<string, string>> {
    return this.memento.get<Record<string, string>>(KEY) ?? {};
  }
}

const keyOf = (folder: WorkspaceFolder, { about }: Pick<ConsentQuestion, 'about'>): string => `${folder.uri.toString()} ${about}`;
const coveredBy = ({ covers }: Pick<ConsentQuestion, 'covers'>): string => JSON.stringify([...covers].sort());
