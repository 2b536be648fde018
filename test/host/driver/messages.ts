import type { Locator, Page } from 'playwright-core';
import { clicked } from './click';
import { exactly, matches, tidy, until } from './wait';

/** A message with buttons: a notification, or a modal dialog. */
export class Message {
  constructor(readonly root: Locator, private readonly textOf: string, private readonly buttonSelector: string) {}

  async text(): Promise<string> {
    return tidy((await this.root.locator(this.textOf).allTextContents()).join(' '));
  }

  async buttons(): Promise<string[]> {
    return (await this.root.locator(this.buttonSelector).allTextContents()).map(tidy).filter((name) => name !== '');
  }

  /** Presses one of its buttons and waits until the message is gone. */
  async press(name: string | RegExp): Promise<void> {
    const words = await this.text();
    await until(`the button "${name}" of "${words}"`, async () => {
      const found = (await this.buttons()).find((one) => matches(one, name));
      return found !== undefined && clicked(this.root.locator(this.buttonSelector).filter({ hasText: exactly(found) }).first());
    });
    await until(`"${words}" to go after "${name}" was pressed`, async () => (await this.root.count()) === 0);
  }

  /** Clicks on a link in its words. */
  async follow(name: string): Promise<void> {
    await this.root.locator(`${this.textOf} a`, { hasText: name }).click({ timeout: 5000 });
  }
}

/** Runs in the page: gives the message a name by which it is found again while what is in it is painted anew. */
function mark(item: { closest(selector: string): { readonly dataset: Record<string, string | undefined> } | null }): string | undefined {
  const message = item.closest('.notification-toast-container, .monaco-dialog-box');
  return message === null ? undefined : (message.dataset['story'] ??= String(performance.now()));
}

/** Runs in the page: notes that a story has had this message. */
function tell(message: { readonly dataset: Record<string, string | undefined> }): void {
  message.dataset['told'] = 'yes';
}

const toasts = '.notifications-toasts .notification-list-item';
const toastText = '.notification-list-item-message';

/** The notifications at the lower right and the dialogs in the middle. */
export class Messages {
  constructor(private readonly page: Page) {}

  /** The words of those in sight. */
  async notifications(): Promise<string[]> {
    return (await this.page.locator(toasts).locator(toastText).allTextContents()).map(tidy);
  }

  /**
   * Waits for a notification that matches, and that was not the answer before: one that is still in sight has words
   * that fit the next one as well, more often than one thinks. It stays that one while its words change, as those of
   * a progress do.
   */
  async notification(wanted: string | RegExp, ms?: number): Promise<Message> {
    return until(`a notification "${wanted}"`, async () => {
      for (const item of await this.page.locator(toasts).all()) {
        // The item is painted anew with every word; the toast around it lives as long as the notification.
        const toast = await this.#marked(item);
        const one = new Message(toast, toastText, '.notification-list-item-buttons-container .monaco-button');
        if (!matches(await one.text(), wanted) || (await toast.getAttribute('data-told', { timeout: 1000 })) !== null) continue;
        await toast.evaluate(tell, undefined, { timeout: 1000 });
        await this.#hold(toast);
        return one;
      }
      return undefined;
    }, ms);
  }

  /** Closes all that are there now; one that shows a progress cannot be closed. */
  async clearNotifications(): Promise<void> {
    const closable = this.page.locator(toasts).filter({ has: this.page.locator('.codicon-notifications-clear') });
    for (const toast of await Promise.all((await closable.all()).map((item) => this.#marked(item)))) {
      await until('a notification to close', async () => {
        if ((await toast.count()) === 0) return true;
        await toast.hover({ timeout: 2000 });
        await clicked(toast.locator('.codicon-notifications-clear').first());
        return until('it to go', async () => (await toast.count()) === 0, 2000).catch(() => false);
      });
    }
  }

  /** Waits for a modal dialog that matches. */
  async dialog(wanted: string | RegExp = /./, ms?: number): Promise<Message> {
    return until(`a dialog "${wanted}"`, async () => {
      const dialog = await this.#marked(this.page.locator('.monaco-dialog-box').last());
      const one = new Message(dialog, '.dialog-message-text, .dialog-message-detail', '.dialog-buttons .monaco-button');
      return matches(await one.text(), wanted) && one;
    }, ms);
  }

  async #marked(item: Locator): Promise<Locator> {
    return this.page.locator(`[data-story="${await item.evaluate(mark, undefined, { timeout: 1000 })}"]`);
  }

  /** A notification goes by itself after ten seconds, unless the mouse rests on it: long enough to be read and answered. */
  async #hold(toast: Locator): Promise<void> {
    await toast.dispatchEvent('mouseover', undefined, { timeout: 1000 });
  }
}
