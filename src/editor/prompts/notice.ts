import { window } from 'vscode';
import { CancelledError } from '../../base/errors';
import { capped, iconless, unlinked } from '../../base/log';

type Kind = 'information' | 'warning';

/**
 * All that is said to the person in a message. Names, paths and the words of servers are among what is said: nothing in it
 * becomes a link, which could run a command of the editor, or an icon. Lint lets no other module show one.
 */
export const notice = {
  /** @returns the button that was pressed; undefined when it was left */
  inform: (message: string, ...buttons: readonly string[]): Thenable<string | undefined> => window.showInformationMessage(words(message), ...buttons),
  /** @returns the button that was pressed; undefined when it was left */
  warn: (message: string, ...buttons: readonly string[]): Thenable<string | undefined> => window.showWarningMessage(words(message), ...buttons),
  /** @returns the button that was pressed; undefined when it was left */
  fail: (message: string, ...buttons: readonly string[]): Thenable<string | undefined> => window.showErrorMessage(words(message), ...buttons),

  /** A question in the middle of the window. @returns the answer; undefined when it was left */
  ask: (question: string, detail: string, ...answers: readonly string[]): Thenable<string | undefined> => modal('warning', question, detail, answers),
  /** A question in the middle of the window that has one verb. @throws CancelledError when it was left */
  async confirm(question: string, detail: string, verb: string, kind: Kind = 'warning'): Promise<void> {
    if ((await modal(kind, question, detail, [verb])) !== verb) throw new CancelledError();
  },

  /** A few words in the status bar, for `ms` milliseconds. @param icon one of the editor's own, by its name */
  brief(message: string, ms: number, icon?: string): void {
    window.setStatusBarMessage((icon === undefined ? '' : `$(${icon}) `) + iconless(message), ms);
  },
};

const modal = (kind: Kind, question: string, detail: string, answers: readonly string[]): Thenable<string | undefined> =>
  (kind === 'warning' ? window.showWarningMessage : window.showInformationMessage)(words(question), { modal: true, ...(detail === '' ? {} : { detail: words(detail) }) }, ...answers);

const words = (text: string): string => unlinked(capped(text));
