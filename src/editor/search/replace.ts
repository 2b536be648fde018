import { l10n, ProgressLocation, Range, workspace, WorkspaceEdit, type TextDocument } from 'vscode';
import { CancelledError } from '../../base/errors';
import { compile, rangesIn } from '../../files/search/pattern';
import { replacementFor } from '../../files/search/replacement';
import type { FileResult, LineResult, SearchResults } from './results';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

export interface Replaced {
  /** Matches replaced. */
  readonly replaced: number;
  readonly files: number;
  /** Lines that are no longer what was found, or stand in a file of another encoding; they were left alone. */
  readonly skipped: number;
}

interface Edit {
  readonly range: Range;
  readonly text: string;
}

/** Stands for bytes that are no text in the encoding that the file was read in. */
const undecoded = '\ufffd';
/** Documents read at once. */
const atOnce = 8;

/**
 * Replaces what a search has found, and only that: a line that is another by now is left alone. The files are saved, except
 * those that had unsaved changes before.
 */
export async function replaceAll(results: SearchResults, chosen: readonly FileResult[], replacement: string): Promise<Replaced> {
  const edit = new WorkspaceEdit();
  const clean: TextDocument[] = [];
  const done = { replaced: 0, files: 0, skipped: 0 };
  await withProgress({ location: ProgressLocation.Notification, title: l10n.t('Replacing on pod'), cancellable: true }, async (progress, token) => {
    const queue = [...chosen];
    const work = async (): Promise<void> => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        if (token.isCancellationRequested) throw new CancelledError();
        const document = await workspace.openTextDocument(file.uri);
        const { edits, skipped } = editsOf(results, document, file.lines, replacement);
        for (const { range, text } of edits) edit.replace(document.uri, range, text);
        done.replaced += edits.length;
        done.skipped += skipped;
        if (edits.length > 0) done.files++;
        if (edits.length > 0 && !document.isDirty) clean.push(document);
        progress.report({ increment: 100 / chosen.length, message: `${chosen.length - queue.length}/${chosen.length}` });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  });
  if (done.replaced === 0) return done;
  if (!(await workspace.applyEdit(edit))) throw new Error(l10n.t('The editor did not apply the replacements.'));
  const saved = await Promise.all(clean.map(async (document) => !document.isDirty || (await document.save())));
  const failed = saved.filter((one) => !one).length;
  if (failed > 0) void notice.warn(l10n.t('Some replaced files could not be saved; they are open with the changes in them. Files: {0}.', failed));
  return done;
}

/** The edits in one document, from its beginning to its end. */
export function editsOf(results: SearchResults, document: TextDocument, lines: readonly LineResult[], replacement: string): { edits: Edit[]; skipped: number } {
  // What the editor could not decode it would write back as something else, wherever in the file it stands.
  if (document.getText().includes(undecoded)) return { edits: [], skipped: lines.length };
  const { js } = compile(results.query);
  const edits: Edit[] = [];
  let skipped = 0;
  for (const { match } of [...lines].sort((a, b) => a.match.line - b.match.line)) {
    const at = match.line - 1;
    const text = at < document.lineCount ? document.lineAt(at).text : undefined;
    // Of a long line only the beginning is known.
    if (text === undefined || !text.startsWith(match.text) || match.ranges.length === 0) {
      skipped++;
      continue;
    }
    for (const [from, to] of rangesIn(js, text)) {
      const inserted = replacementFor(results.query, text, from, replacement);
      if (inserted !== undefined) edits.push({ range: new Range(at, from, at, to), text: inserted });
    }
  }
  return { edits, skipped };
}
