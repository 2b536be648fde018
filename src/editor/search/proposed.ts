import { workspace, type Disposable, type Uri } from 'vscode';
import { SCHEME } from '../ids';
import { editsOf } from './replace';
import type { SearchResults } from './results';

const PROPOSED = 'runpod-proposed';

/** What a file would be with the replacements that are being looked at. */
export const proposedUri = (file: Uri, search: number): Uri => file.with({ scheme: PROPOSED, query: String(search) });

/** Shows the right side of the comparison; nothing is written anywhere. */
export function registerProposed(current: () => SearchResults | undefined): Disposable {
  return workspace.registerTextDocumentContentProvider(PROPOSED, {
    provideTextDocumentContent: async (uri) => {
      const document = await workspace.openTextDocument(uri.with({ scheme: SCHEME, query: '' }));
      const results = current();
      const file = results?.files.find((one) => one.uri.path === uri.path);
      if (results?.replacement === undefined || file === undefined) return document.getText();
      let text = document.getText();
      const { edits } = editsOf(results, document, file.lines, results.replacement);
      for (const { range, text: inserted } of [...edits].reverse()) text = text.slice(0, document.offsetAt(range.start)) + inserted + text.slice(document.offsetAt(range.end));
      return text;
    },
  });
}
