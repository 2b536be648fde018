import { window, type InputBoxOptions, type QuickPick, type QuickPickItem, type QuickPickOptions } from 'vscode';
import { iconless, unlinked } from '../../base/log';

/**
 * The questions at the top of the window. Names, paths and descriptions from outside are among the rows: they show as they
 * are. An icon of ours is a row's `iconPath`. Lint lets no other module ask.
 */
export const ask = {
  /** @returns the row that was chosen; undefined when the person leaves */
  oneOf: async <T extends QuickPickItem>(rows: readonly T[], options: QuickPickOptions): Promise<T | undefined> => (await window.showQuickPick(plainRows(rows), options))?.row,

  /** @returns the rows that were ticked; undefined when the person leaves */
  someOf: async <T extends QuickPickItem>(rows: readonly T[], options: QuickPickOptions): Promise<T[] | undefined> => (await window.showQuickPick(plainRows(rows), { ...options, canPickMany: true }))?.map(({ row }) => row),

  /** A list that changes while it is asked from. Its rows are set with `setRows`. */
  list: <T extends QuickPickItem>(): QuickPick<T> => window.createQuickPick<T>(),

  /** One line of text; undefined when the person leaves. */
  text: (options: InputBoxOptions): Thenable<string | undefined> => window.showInputBox({ ...options, ...(options.prompt === undefined ? {} : { prompt: plainPrompt(options.prompt) }) }),
};

/** Sets what a list shows. @returns its rows as the list knows them, in the same order: what is active or chosen is one of these */
export function setRows<T extends QuickPickItem>(list: QuickPick<T>, rows: readonly T[]): readonly T[] {
  const shown = rows.map(plainRow);
  list.items = shown;
  return shown;
}

/** The editor makes links and icons of the words below a text field. */
export const plainPrompt = (words: string): string => iconless(unlinked(words));

const plainRows = <T extends QuickPickItem>(rows: readonly T[]): (QuickPickItem & { readonly row: T })[] => rows.map((row) => ({ ...plainRow<QuickPickItem>(row), row }));

const plainRow = <T extends QuickPickItem>(row: T): T => ({
  ...row,
  label: iconless(row.label),
  ...(row.description === undefined ? {} : { description: iconless(row.description) }),
  ...(row.detail === undefined ? {} : { detail: iconless(row.detail) }),
});
