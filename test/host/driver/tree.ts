import type { Locator, Page } from 'playwright-core';
import { click, clicked } from './click';
import { exactly, matches, tidy, until, untilReads } from './wait';

/** A row as it is read: all of it at one moment. */
interface Seen {
  readonly index: number;
  readonly level: number;
  readonly expanded: string | null;
  readonly label: string;
  /** Name and description. */
  readonly text: string;
  readonly description: string;
  readonly spoken: string;
}

interface Element {
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<{ readonly textContent: string | null }>;
}

/** Runs in the page, where there is nothing else of this file. */
function see(rows: Element[]): Seen[] {
  return rows.map((row) => {
    const [names, descriptions] = ['.label-name', '.label-description'].map((part) => [...row.querySelectorAll(part)].map((found) => found.textContent ?? ''));
    return {
      index: Number(row.getAttribute('data-index')),
      level: Number(row.getAttribute('aria-level')),
      expanded: row.getAttribute('aria-expanded'),
      label: names?.[0] ?? '',
      text: [...(names ?? []), ...(descriptions ?? [])].join(' '),
      description: descriptions?.join(' ') ?? '',
      spoken: row.getAttribute('aria-label') ?? '',
    };
  });
}

/** A tree in the window: a view of the sidebar, or the Explorer. Only rows in sight are there. */
export class Tree {
  constructor(private readonly page: Page, readonly root: Locator) {}

  /** The rows from top to bottom. */
  async rows(): Promise<Row[]> {
    const seen = await this.seen();
    return seen.map(({ label }, i) => new Row(this.page, this, label, seen.slice(0, i).filter((other) => other.label === label).length));
  }

  /** What there is to read, from top to bottom. */
  async seen(): Promise<Seen[]> {
    const seen = await this.root.locator('.monaco-list-row[role=treeitem]').evaluateAll(see);
    return seen.map((row) => ({ ...row, label: tidy(row.label), text: tidy(row.text), description: tidy(row.description), spoken: tidy(row.spoken) })).sort((a, b) => a.index - b.index);
  }

  /** The texts of all rows, indented by level: what a person sees at a glance. */
  async text(): Promise<string> {
    return (await this.seen()).map((row) => `${'  '.repeat(row.level - 1)}${row.text}`).join('\n');
  }

  /** Waits for the row with this label, or whose label and description match. */
  async row(wanted: string | RegExp, ms?: number): Promise<Row> {
    let last: Seen[] = [];
    try {
      return await until(`a row "${wanted}"`, async () => {
        last = await this.seen();
        const at = last.findIndex((row) => (typeof wanted === 'string' ? row.label === wanted : matches(row.text, wanted)));
        const label = last[at]?.label;
        return label === undefined ? undefined : new Row(this.page, this, label, last.slice(0, at).filter((other) => other.label === label).length);
      }, ms);
    } catch (error) {
      throw new Error(`${(error as Error).message}; there are:\n${last.map((row) => row.text).join('\n')}`);
    }
  }

  /** Waits until no row has this label, or matches. */
  async gone(wanted: string | RegExp, ms?: number): Promise<void> {
    await until(`the row "${wanted}" to go`, async () => !(await this.seen()).some((row) => (typeof wanted === 'string' ? row.label === wanted : matches(row.text, wanted))), ms);
  }

  /** Waits until the rows' texts match. */
  async waitFor(wanted: RegExp, ms?: number): Promise<string> {
    return untilReads('the rows', () => this.text(), wanted, ms);
  }
}

/** A row of a tree, by its label: it may be kept while the tree is redrawn and the row moves. */
export class Row {
  constructor(private readonly page: Page, private readonly tree: Tree, private readonly name: string, private readonly nth: number) {}

  /** The name alone. */
  get label(): string { return this.name; }

  /** The greyed words after the name. */
  async description(): Promise<string> {
    return (await this.#seen()).description;
  }

  /** Name and description. */
  async text(): Promise<string> {
    return (await this.#seen()).text;
  }

  /** What a screen reader says. */
  async spoken(): Promise<string> {
    return (await this.#seen()).spoken;
  }

  /** 1 at the top. */
  async level(): Promise<number> {
    return (await this.#seen()).level;
  }

  /** Waits until name and description match. */
  async waitFor(wanted: RegExp, ms?: number): Promise<this> {
    await untilReads(`the row "${this.name}"`, () => this.text(), wanted, ms);
    return this;
  }

  async click(): Promise<void> {
    await click(`a click on the row "${this.name}"`, () => this.#now());
  }

  async doubleClick(): Promise<void> {
    await click(`a double click on the row "${this.name}"`, () => this.#now(), 'dblclick');
  }

  async expand(): Promise<this> {
    return this.#setExpanded('true');
  }

  async collapse(): Promise<this> {
    return this.#setExpanded('false');
  }

  /** Presses the icon of this name at its right end, which shows under the mouse. */
  async action(name: string | RegExp): Promise<void> {
    await click(`the action "${name}" of the row "${this.name}"`, async () => {
      const row = await this.#now();
      await row.hover({ timeout: 5000 });
      const icons = row.locator('.actions .action-label');
      const names = await icons.evaluateAll((found: Element[]) => found.map((icon) => icon.getAttribute('aria-label') ?? ''));
      const at = names.findIndex((one) => matches(tidy(one), name));
      return at < 0 ? undefined : row.locator(`.actions .action-label[aria-label=${JSON.stringify(names[at])}]`).first();
    });
  }

  /** The tooltip that resting the mouse on it brings. */
  async tooltip(): Promise<string> {
    const hover = this.page.locator('.workbench-hover-container:visible, .monaco-hover:visible').last();
    return until('the tooltip of the row', async () => {
      // Away and back: a tooltip doesn't come while the mouse merely stays.
      await this.page.mouse.move(0, 0);
      await (await this.#now()).locator('.label-name').first().hover({ timeout: 5000 });
      await hover.waitFor({ timeout: 5000 });
      return (await hover.innerText({ timeout: 1000 })).trim();
    });
  }

  /** Opens its context menu and returns the names in it; Escape closes it. */
  async menu(): Promise<string[]> {
    await this.#openMenu();
    const names = await this.#menu.locator('.action-label').allTextContents();
    await until('the menu to close', async () => {
      if ((await this.#menu.count()) === 0) return true;
      await this.page.keyboard.press('Escape');
      return until('it to go', async () => (await this.#menu.count()) === 0, 2000).catch(() => false);
    });
    return names.map(tidy).filter((name) => name !== '');
  }

  /** Chooses from its context menu, or from a menu in it. */
  async chooseFromMenu(name: string): Promise<void> {
    // Whatever opened last lies above the rest.
    const item = this.#menu.locator('.action-item', { has: this.page.locator('.action-label', { hasText: exactly(name) }) }).last();
    const closed = async (): Promise<boolean> => (await this.#menu.count()) === 0;
    let heard = false;
    await until(`"${name}" of the menu of the row "${this.name}"`, async () => {
      if (heard && (await closed())) return true;
      // A menu ignores the mouse for a moment after it opened, and closes without a choice when the focus is taken from it.
      await this.#openMenu();
      if (!(await this.#inSight(item))) return false;
      heard = await clicked(item, 'mouseup');
      return heard && until('the menu to close', closed, 2000).catch(() => false);
    });
  }

  /** Whether the open menu shows this item; opens the menus in it one after the other, which takes the mouse some rest on them. */
  async #inSight(item: Locator): Promise<boolean> {
    if ((await item.count()) > 0) return true;
    for (const more of await this.#menu.first().locator('.action-item', { has: this.page.locator('.submenu-indicator') }).all()) {
      await more.hover({ timeout: 5000 });
      if (await item.waitFor({ timeout: 2000 }).then(() => true, () => false)) return true;
    }
    return false;
  }

  get #menu(): Locator {
    return this.page.locator('.context-view .monaco-menu');
  }

  /** Opens its context menu, unless one is open. */
  async #openMenu(): Promise<void> {
    const items = this.#menu.locator('.action-item').first();
    await until(`the context menu of the row "${this.name}"`, async () => {
      if (await items.isVisible()) return true;
      if (await clicked(await this.#now(), 'contextmenu')) await items.waitFor({ timeout: 5000 });
      return items.isVisible();
    });
  }

  async #setExpanded(value: 'true' | 'false'): Promise<this> {
    await until(`the row to be ${value === 'true' ? 'expanded' : 'collapsed'}`, async () => {
      const turned = async (): Promise<boolean> => (await this.#seen()).expanded === value;
      if (await turned()) return true;
      await clicked((await this.#now()).locator('.monaco-tl-twistie'));
      return until('its twistie to turn', turned, 5000).catch(() => false);
    });
    return this;
  }

  async #seen(): Promise<Seen> {
    return until(`the row "${this.name}"`, async () => {
      const same = (await this.tree.seen()).filter(({ label }) => label === this.name);
      return same[Math.min(this.nth, same.length - 1)];
    });
  }

  /** The row by its name up to the very click, for rows that come in above move it; by its place too among rows of one name. */
  async #now(): Promise<Locator> {
    const { index } = await this.#seen();
    const named = this.tree.root.locator('.monaco-list-row[role=treeitem]').filter({ has: this.page.locator('.label-name', { hasText: exactly(this.name) }) });
    return (await named.count()) === 1 ? named : named.and(this.page.locator(`[data-index="${index}"]`)).first();
  }
}
