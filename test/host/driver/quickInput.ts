import type { Locator, Page } from 'playwright-core';
import { matches, tidy, until } from './wait';

export interface QuickInputItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

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
    // A window that has just opened knows its commands late, and an open palette doesn't learn new ones: ask again.
    await until(`the command "${title}" in the palette`, async () => {
      await this.page.keyboard.press('F1');
      await until('the palette', async () => (await this.value()).startsWith('>'), 3000);
      await this.#input.fill(`>${title}`, { timeout: 2000 });
      const row = await until('its row', this.#settled((item) => item.label === title || item.label.endsWith(`: ${title}`)), 1500).catch(() => undefined);
      if (row === undefined) {
        await this.cancel();
        return false;
      }
      await row.click();
      await until('the palette to close', async () => !(await this.isOpen()) || !(await this.value()).startsWith('>'));
      return true;
    });
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
    return Promise.all((await this.#rows.all()).map(read));
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
    let row = await until(`an item "${wanted}" to choose`, find);
    const asked = await this.#question();
    // The next question reuses the box. A list that is only painted anew still has the item, under the same question.
    const taken = async (): Promise<boolean> => !(await this.isOpen()) || (await this.#question()) !== asked || (await this.#find(fits)) === undefined;
    // A list that is painted anew under the pointer swallows the click; a person clicks again.
    for (let clicks = 1; ; clicks++) {
      // At its corner: the tooltip of a long description lies over the middle once the pointer has rested there.
      await row.click({ timeout: 5_000, position: { x: 10, y: 8 } }).catch(() => undefined);
      if (await until('the choice to be taken', taken, 5_000).catch(() => false)) return;
      // A hover that has come up over the item would take the next one.
      await this.page.mouse.move(0, 0);
      if (clicks === 3) throw new Error(`"${wanted}" was clicked three times and not taken`);
      row = await until(`"${wanted}" to choose once more`, find);
    }
  }

  /** Presses Enter. */
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
    await this.widget.locator('.quick-input-titlebar, .quick-input-inline-action-bar').getByRole('button', { name }).first().click();
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
    for (const row of await this.#rows.all()) if (fits(await read(row))) return row;
    return undefined;
  }
}

async function read(row: Locator): Promise<QuickInputItem> {
  const text = async (selector: string): Promise<string> => tidy((await row.locator(selector).allTextContents()).join(' '));
  return {
    label: await text('.quick-input-list-row:first-child .label-name'),
    description: await text('.quick-input-list-row:first-child .label-description'),
    detail: await text('.quick-input-list-label-meta .label-name'),
  };
}
