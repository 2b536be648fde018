import { Disposable, Range, Selection, TextEditorRevealType, window, workspace, type TextDocument, type TextEditor } from 'vscode';
import { SCHEME, SCHEME_READONLY } from '../ids';

/**
 * A log that grows on a pod stays at its end in the editors whose cursor was there, as `tail -f` would show it. Elsewhere the
 * text grows and what is being read stays where it is.
 */
export function followEnds(): Disposable {
  const atEnd = new WeakMap<TextEditor, boolean>();
  const note = (editor: TextEditor | undefined): void => {
    if (editor !== undefined && isOnPod(editor.document)) atEnd.set(editor, editor.document.lineCount > 1 && editor.selection.isEmpty && editor.selection.active.line === editor.document.lineCount - 1);
  };
  return Disposable.from(
    window.onDidChangeTextEditorSelection(({ textEditor }) => note(textEditor)),
    window.onDidChangeActiveTextEditor(note),
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      // What a person types makes the document dirty; a reload does not.
      if (contentChanges.length === 0 || document.isDirty || !isOnPod(document)) return;
      const end = document.lineAt(document.lineCount - 1).range.end;
      for (const editor of window.visibleTextEditors) {
        if (editor.document !== document || atEnd.get(editor) !== true) continue;
        editor.selection = new Selection(end, end);
        editor.revealRange(new Range(end, end), TextEditorRevealType.Default);
      }
    }),
  );
}

const isOnPod = ({ uri }: TextDocument): boolean => uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY;
