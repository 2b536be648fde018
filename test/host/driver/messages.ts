import type { Locator, Page } from 'playwright-core';
import { matches, tidy, until } from './wait';

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
      for (const button of await this.root.locator(this.buttonSelector).all()) {
        if (!matches(tidy(await button.textContent()), name)) continue;
        await button.click({ timeout: 2000 });
        return true;
      }
      return false;
    });
  }

  /** Clicks on a link in its words. */
  async follow(name: string): Promise<void> {
    await this.root.locator(`${this.textOf} a`, { hasText: name }).click({ timeout: 5000 });
  }
}

/** Runs in the page. */
function markToast(item: { closest(selector: string): { dataset: Record<string, string | undefined> } | null }): string | undefined {
  const toast = item.closest('.notification-toast-container');
  return toast === null ? undefined : (toast.dataset['story'] ??= String(performance.now()));
}

const asNotification = (item: Locator): Message => new Message(item, '.notification-list-item-message', '.notification-list-item-buttons-container .monaco-button');

/** The notifications at the lower right and the dialogs in the middle. */
export class Messages {
  constructor(private readonly page: Page) {}

  async notifications(): Promise<Message[]> {
    return (await this.page.locator('.notifications-toasts .notification-list-item').all()).map(asNotification);
  }

  /** Waits for a notification that matches. It stays that one while its words change, as those of a progress do. */
  async notification(wanted: string | RegExp, ms?: number): Promise<Message> {
    return until(`a notification "${wanted}"`, async () => {
      for (const one of await this.notifications()) {
        if (!matches(await one.text(), wanted)) continue;
        // The item is painted anew with every word; the toast around it lives as long as the notification.
        const mark = await one.root.evaluate(markToast);
        if (mark !== undefined) return asNotification(this.page.locator(`.notification-toast-container[data-story="${mark}"] .notification-list-item`));
      }
      return undefined;
    }, ms);
  }

  async clearNotifications(): Promise<void> {
    for (const close of await this.page.locator('.notifications-toasts .codicon-notifications-clear').all()) await close.click({ timeout: 1000 }).catch(() => undefined);
  }

  /** Waits for a modal dialog that matches. */
  async dialog(wanted: string | RegExp = /./, ms?: number): Promise<Message> {
    const dialog = new Message(this.page.locator('.monaco-dialog-box').last(), '.dialog-message-text, .dialog-message-detail', '.dialog-buttons .monaco-button');
    await until(`a dialog "${wanted}"`, async () => (await dialog.root.count()) > 0 && matches(await dialog.text(), wanted), ms);
    return dialog;
  }
}
