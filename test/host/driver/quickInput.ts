import type { Locator, Page } from 'playwright-core';
import { messageOf } from '../../../src/base/errors';
import { click, clicked } from './click';
import { exactly, matches, tidy, until } from './wait';

export interface QuickInputItem {
  /** Its place in the list, from 0. */
  readonly index: number;
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

/** Where items are clicked: the tooltip of a long description lies over the middle once the pointer has rested there. */
const corner = { x: 10, y: 8 };

/** The box at the top of the window: the palette, lists to pick from, and text to fill in. */
export class QuickInput {
  readonly widget: Locator;
  readonly #rows: Locator;
  readonly #input: Locator;

  constructor(private readonly page: Page) {
    this.widget = page.locator('.quick-input-widget:visible');
    this.#rows = this.widget.locator('.quick-input-list .monaco-list-row');
    this.#input = this.widget.locator('.quick-input-box input');
  }

  /**
   * Opens the palette and runs a command.
   * @param title as the palette shows it, with or without its category: `RunPod: Stop Pod…` or `Stop Pod…`
   */
  async command(title: string): Promise<void> {
    // A window that has just opened knows its commands late, and an open palette doesn't learn new ones: ask again, each time
    // with more patience, for a busy machine lists them late as well.
    let patient = 1000;
    await until(`the command "${title}" in the palette`, async () => {
      await this.page.keyboard.press('F1');
      await until('the palette', async () => (await this.value()).startsWith('>'), 5000);
      await this.#input.fill(`>${title}`, { timeout: 5000 });
      const row = await until('its row', this.#settled((item) => item.label === title || item.label.endsWith(`: ${title}`)), patient *= 2).catch(() => undefined);
      if (row === undefined) {
        await this.cancel();
        return false;
      }
      return clicked(row, 'click', corner);
    });
    await until('the palette to close', async () => !(await this.isOpen()) || !(await this.value()).startsWith('>'));
  }

  async isOpen(): Promise<boolean> {
    return (await this.widget.count()) > 0;
  }

  /** What stands in the input. */
  async value(): Promise<string> {
    return this.#input.inputValue({ timeout: 1000 });
  }

  async placeholder(): Promise<string> {
    return (await this.#input.getAttribute('placeholder', { timeout: 1000 })) ?? '';
  }

  /** Title with step, such as `New Pod (2/4)`. */
  async title(): Promise<string> {
    return tidy(await this.widget.locator('.quick-input-title').textContent({ timeout: 1000 }));
  }

  /** The line below the input: the prompt, or what is wrong with the input. */
  async message(): Promise<string> {
    return tidy(await this.widget.locator('.quick-input-message').textContent({ timeout: 1000 }));
  }

  /** The items in sight. */
  async items(): Promise<QuickInputItem[]> {
    const seen = await this.#rows.evaluateAll(see);
    return seen.map(({ index, label, description, detail }) => ({ index, label: tidy(label), description: tidy(description), detail: tidy(detail) }));
  }

  /** Waits until the box is open, and shows this title if one is given. */
  async waitFor(title?: string | RegExp): Promise<this> {
    await until(`the quick input${title === undefined ? '' : ` "${title}"`}`, async () =>
      (await this.isOpen()) && (title === undefined || matches(await this.title(), title) || matches((await this.title()).replace(/ \(\d+\/\d+\)$/, ''), title)));
    return this;
  }

  /** Replaces the input. */
  async type(text: string): Promise<void> {
    await this.waitFor();
    await this.#input.fill(text);
  }

  /** Waits for an item and picks it. A regular expression is matched against label, description and detail. */
  async choose(wanted: string | RegExp): Promise<void> {
    const fits = (item: QuickInputItem): boolean => (typeof wanted === 'string' ? item.label === wanted : wanted.test(`${item.label} ${item.description} ${item.detail}`));
    const find = this.#settled(fits);
    let asked = '';
    await until(`an item "${wanted}" to choose`, async () => {
      const row = await find();
      if (row === undefined) return false;
      asked = await this.#question();
      return clicked(row, 'click', corner);
    }).catch(async (error: unknown) => {
      throw new Error(`${messageOf(error)}; there are:\n${(await this.items()).map((item) => Object.values(item).join(' ')).join('\n')}`);
    });
    // The next question reuses the box. A list that is only painted anew still has the item, under the same question.
    await until(`"${wanted}" to be taken`, async () => !(await this.isOpen()) || (await this.#question()) !== asked || !(await this.items()).some(fits));
  }

  /** Presses Enter. In a list it may come before an item is marked: `choose` waits for that. */
  async accept(): Promise<void> {
    await this.#input.press('Enter');
  }

  /** Fills the input and presses Enter. */
  async answer(text: string): Promise<void> {
    await this.type(text);
    await this.accept();
  }

  async cancel(): Promise<void> {
    if (!(await this.isOpen())) return;
    await this.#input.press('Escape');
    await until('the quick input to close', async () => !(await this.isOpen()));
  }

  /** Presses a button of the title bar by its name, such as `Back`. */
  async button(name: string | RegExp): Promise<void> {
    await this.waitFor();
    await click(`the button "${name}"`, () => this.widget.locator('.quick-input-titlebar, .quick-input-inline-action-bar').getByRole('button', { name }).first());
  }

  /** What is asked for: title and placeholder. */
  async #question(): Promise<string> {
    return `${await this.title()}\n${await this.placeholder()}`;
  }

  /** Looks for an item in a list that is the same as at the last look: one that is still filtered moves its rows. */
  #settled(fits: (item: QuickInputItem) => boolean): () => Promise<Locator | undefined> {
    let last: string | undefined;
    return async () => {
      const now = (await this.#rows.allTextContents()).join('\n');
      const same = now === last;
      last = now;
      return same ? this.#find(fits) : undefined;
    };
  }

  async #find(fits: (item: QuickInputItem) => boolean): Promise<Locator | undefined> {
    const item = (await this.items()).find(fits);
    if (item === undefined) return undefined;
    // By name as well as by place: the list may move up to the very click.
    return this.#rows.and(this.page.locator(`[data-index="${item.index}"]`)).filter({ has: this.page.locator('.label-name', { hasText: exactly(item.label) }) }).first();
  }
}

interface Element {
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<{ readonly textContent: string | null }>;
}

/** Runs in the page, where there is nothing else of this file: reads all items at one moment. */
function see(rows: Element[]): QuickInputItem[] {
  const parts = ['.quick-input-list-row:first-child .label-name', '.quick-input-list-row:first-child .label-description', '.quick-input-list-label-meta .label-name'];
  return rows.map((row) => {
    const [label = '', description = '', detail = ''] = parts.map((part) => [...row.querySelectorAll(part)].map((found) => found.textContent ?? '').join(' '));
    return { index: Number(row.getAttribute('data-index')), label, description, detail };
  });
}
