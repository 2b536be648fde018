import type { Locator, Page } from 'playwright-core';
import { exactly, matches, tidy, until } from './wait';

/** A tree in the window: a view of the sidebar, or the Explorer. Only rows in sight are there. */
export class Tree {
  constructor(private readonly page: Page, readonly root: Locator) {}

  /** The rows from top to bottom. */
  async rows(): Promise<Row[]> {
    const found = this.root.locator('.monaco-list-row[role=treeitem]');
    // At one moment: a row that goes while they are read would be waited for.
    const places = await found.evaluateAll((rows: { getAttribute(name: string): string | null }[]) => rows.map((row) => Number(row.getAttribute('data-index'))));
    const placed = places.map((index, i) => ({ locator: found.nth(i), index }));
    return placed.sort((a, b) => a.index - b.index).map(({ locator }) => new Row(this.page, this, locator));
  }

  /** The texts of all rows, indented by level: what a person sees at a glance. */
  async text(): Promise<string> {
    const lines = await Promise.all((await this.rows()).map(async (row) => `${'  '.repeat((await row.level()) - 1)}${await row.text()}`));
    return lines.join('\n');
  }

  /** Waits for the row with this label, or whose label and description match. */
  async row(wanted: string | RegExp, ms?: number): Promise<Row> {
    return until(`a row "${wanted}"`, async () => {
      for (const row of await this.rows()) {
        const label = await row.label();
        const fits = typeof wanted === 'string' ? label === wanted : matches(await row.text(), wanted);
        if (fits) return row.pinned(label);
      }
      return undefined;
    }, ms);
  }

  async hasRow(wanted: string | RegExp): Promise<boolean> {
    return this.row(wanted, 0).then(() => true, () => false);
  }

  /** Waits until no row has this label, or matches. */
  async gone(wanted: string | RegExp, ms?: number): Promise<void> {
    await until(`the row "${wanted}" to go`, async () => !(await this.hasRow(wanted)), ms);
  }

  /** Waits until the rows' texts match. */
  async waitFor(wanted: RegExp, ms?: number): Promise<string> {
    let seen = '';
    try {
      return await until(`rows like ${wanted}`, async () => wanted.test(seen = await this.text()) && seen, ms);
    } catch (error) {
      throw new Error(`${(error as Error).message}; there are:\n${seen}`);
    }
  }
}

/** A row of a tree. It is found again by its label, so it may be kept while the tree is redrawn. */
export class Row {
  #wanted: string | undefined;

  constructor(private readonly page: Page, private readonly tree: Tree, private locator: Locator) {}

  /** The name alone. */
  async label(): Promise<string> {
    return tidy(await this.locator.locator('.label-name').first().textContent({ timeout: 1000 }));
  }

  /** The greyed words after the name. */
  async description(): Promise<string> {
    return tidy((await (await this.#now()).locator('.label-description').allTextContents()).join(' '));
  }

  /** Name and description. */
  async text(): Promise<string> {
    const locator = await this.#now();
    return tidy(`${tidy((await locator.locator('.label-name').allTextContents()).join(' '))} ${tidy((await locator.locator('.label-description').allTextContents()).join(' '))}`);
  }

  /** What a screen reader says. */
  async spoken(): Promise<string> {
    return tidy(await (await this.#now()).getAttribute('aria-label', { timeout: 1000 }));
  }

  /** 1 at the top. */
  async level(): Promise<number> {
    return Number(await (await this.#now()).getAttribute('aria-level', { timeout: 1000 }));
  }

  /** Waits until name and description match. */
  async waitFor(wanted: RegExp, ms?: number): Promise<this> {
    let seen = '';
    try {
      await until(`the row to read ${wanted}`, async () => wanted.test(seen = await this.text()), ms);
    } catch (error) {
      throw new Error(`${(error as Error).message}; it reads "${seen}"`);
    }
    return this;
  }

  async click(): Promise<void> {
    await (await this.#now()).click();
  }

  async doubleClick(): Promise<void> {
    await (await this.#now()).dblclick();
  }

  async expand(): Promise<this> {
    return this.#setExpanded('true');
  }

  async collapse(): Promise<this> {
    return this.#setExpanded('false');
  }

  /** The rows below it, when expanded: everything of a deeper level up to the next of its own. */
  async children(): Promise<Row[]> {
    const rows = await this.tree.rows();
    const labels = await Promise.all(rows.map((row) => row.label()));
    const start = labels.indexOf(await this.label());
    const levels = await Promise.all(rows.map((row) => row.level()));
    const level = levels[start] ?? 0;
    const after = rows.slice(start + 1);
    const end = levels.slice(start + 1).findIndex((other) => other <= level);
    return end === -1 ? after : after.slice(0, end);
  }

  /** The names of the icons at its right end, which show under the mouse. */
  async actions(): Promise<string[]> {
    const locator = await this.#now();
    await locator.hover();
    const labels = await locator.locator('.actions .action-label').all();
    return Promise.all(labels.map(async (label) => tidy(await label.getAttribute('aria-label', { timeout: 1000 }))));
  }

  /** Presses the icon of this name at its right end. */
  async action(name: string | RegExp): Promise<void> {
    await until(`the action "${name}" of the row`, async () => {
      const locator = await this.#now();
      await locator.hover();
      for (const label of await locator.locator('.actions .action-label').all()) {
        if (!matches(tidy(await label.getAttribute('aria-label', { timeout: 1000 })), name)) continue;
        await label.click({ timeout: 2000 });
        return true;
      }
      return false;
    });
  }

  /** The tooltip that resting the mouse on it brings. */
  async tooltip(): Promise<string> {
    const hover = this.page.locator('.workbench-hover-container:visible, .monaco-hover:visible').last();
    return until('the tooltip of the row', async () => {
      // Away and back: a tooltip doesn't come while the mouse merely stays.
      await this.page.mouse.move(0, 0);
      await (await this.#now()).locator('.label-name').first().hover();
      await hover.waitFor({ timeout: 3000 });
      return (await hover.innerText()).trim();
    });
  }

  /** Opens its context menu and returns the names in it; Escape closes it. */
  async menu(): Promise<string[]> {
    await this.#openMenu();
    const names = await this.page.locator('.context-view .monaco-menu .action-label').allTextContents();
    await this.page.keyboard.press('Escape');
    return names.map(tidy).filter((name) => name !== '');
  }

  /** Chooses from its context menu, or from a menu in it. */
  async chooseFromMenu(name: string): Promise<void> {
    await this.#openMenu();
    const menu = this.page.locator('.context-view .monaco-menu');
    const item = menu.locator('.action-item', { has: this.page.locator('.action-label', { hasText: exactly(name) }) }).last();
    await until(`“${name}” in the menu or one below it`, async () => {
      if ((await item.count()) > 0) return true;
      for (const more of await menu.first().locator('.action-item', { has: this.page.locator('.submenu-indicator') }).all()) {
        await more.hover();
        if (await item.waitFor({ timeout: 1000 }).then(() => true, () => false)) return true;
      }
      return false;
    });
    // A menu ignores the mouse for a moment after it opened.
    await until(`the menu to take "${name}"`, async () => {
      if ((await menu.count()) === 0) return true;
      await item.click({ timeout: 1000 });
      return until('the menu to close', async () => (await menu.count()) === 0, 500).catch(() => false);
    });
  }

  /** The same row, bound to its present name instead of its place. */
  async pinned(label?: string): Promise<this> {
    this.#wanted = label ?? (await this.label());
    return this;
  }

  async #openMenu(): Promise<void> {
    await until('the context menu of the row', async () => {
      await (await this.#now()).click({ button: 'right' });
      await this.page.locator('.context-view .monaco-menu .action-item').first().waitFor({ timeout: 3000 });
      return true;
    });
  }

  async #setExpanded(value: 'true' | 'false'): Promise<this> {
    await until(`the row to be ${value === 'true' ? 'expanded' : 'collapsed'}`, async () => {
      const locator = await this.#now();
      if ((await locator.getAttribute('aria-expanded', { timeout: 1000 })) === value) return true;
      await locator.locator('.monaco-tl-twistie').click({ timeout: 2000 });
      return until('its twistie to turn', async () => (await (await this.#now()).getAttribute('aria-expanded', { timeout: 1000 })) === value, 2000).catch(() => false);
    });
    return this;
  }

  async #now(): Promise<Locator> {
    const wanted = this.#wanted;
    if (wanted === undefined) return this.locator;
    // By its name up to the very click: rows that come in above move it.
    const named = this.tree.root.locator('.monaco-list-row[role=treeitem]').filter({ has: this.page.locator('.label-name', { hasText: exactly(wanted) }) });
    return until(`the row "${wanted}"`, async () => {
      if ((await named.count()) === 1) return (this.locator = named);
      for (const row of await this.tree.rows()) if ((await row.label()) === wanted) return (this.locator = row.locator);
      return undefined;
    });
  }
}
