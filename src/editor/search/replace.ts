import { l10n, ProgressLocation, Range, window, workspace, WorkspaceEdit, type TextDocument } from 'vscode';
import { CancelledError } from '../../base/errors';
import { compile, rangesIn } from '../../files/search/pattern';
import { replacementFor } from '../../files/search/replacement';
import type { FileResult, LineResult, SearchResults } from './results';

export interface Replaced {
  /** Matches replaced. */
  readonly replaced: number;
  readonly files: number;
  /** Lines that are no longer what was found; they were left alone. */
  readonly skipped: number;
}

/** Documents read at once. */
const atOnce = 8;

/**
 * Replaces what a search has found, and only that: a line that is another by now is left alone. The files are saved, except
 * those that had unsaved changes before.
 * @param preview lets the person look at every change first, and choose.
 */
export async function replaceAll(results: SearchResults, chosen: readonly FileResult[], replacement: string, preview: boolean): Promise<Replaced> {
  const edit = new WorkspaceEdit();
  const clean: TextDocument[] = [];
  const done = { replaced: 0, files: 0, skipped: 0 };
  await window.withProgress({ location: ProgressLocation.Notification, title: l10n.t('Reading what is to be replaced…'), cancellable: true }, async (progress, token) => {
    let read = 0;
    const queue = [...chosen];
    const work = async (): Promise<void> => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        if (token.isCancellationRequested) throw new CancelledError();
        const document = await workspace.openTextDocument(file.uri);
        const before = done.replaced;
        for (const line of file.lines) replaceLine(results, document, line, replacement, edit, done, preview);
        if (done.replaced > before) {
          done.files++;
          if (!document.isDirty) clean.push(document);
        }
        progress.report({ increment: 100 / chosen.length, message: `${++read}/${chosen.length}` });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  });
  if (done.replaced === 0) return done;
  if (!(await workspace.applyEdit(edit, { isRefactoring: true }))) throw new CancelledError();
  const failed = (await Promise.all(clean.map(async (document) => !document.isDirty || (await document.save())))).filter((saved) => !saved).length;
  if (failed > 0) void window.showWarningMessage(l10n.t('Some replaced files could not be saved; they are open with the changes in them. Files: {0}.', failed));
  return done;
}

function replaceLine(results: SearchResults, document: TextDocument, { match }: LineResult, replacement: string, edit: WorkspaceEdit, done: { replaced: number; skipped: number }, preview: boolean): void {
  const { js } = compile(results.query);
  const at = match.line - 1;
  const text = at < document.lineCount ? document.lineAt(at).text : undefined;
  // Of a long line only the beginning is known.
  if (text === undefined || !text.startsWith(match.text) || match.ranges.length === 0) {
    done.skipped++;
    return;
  }
  for (const [from, to] of rangesIn(js, text)) {
    const label = preview ? { metadata: { needsConfirmation: true, label: l10n.t('Replace on pod'), description: match.path } } : undefined;
    const inserted = replacementFor(results.query, text, from, replacement);
    if (inserted === undefined) continue;
    edit.replace(document.uri, new Range(at, from, at, to), inserted, label?.metadata);
    done.replaced++;
  }
}
