import type { Locator, Page } from 'playwright-core';
import { click, clicked } from './click';
import { tidy, until, untilReads } from './wait';

/** The text editor in front. */
export class TextEditor {
  readonly #group: Locator;

  constructor(private readonly page: Page) {
    this.#group = page.locator('.editor-group-container.active');
  }

  /** Waits until a file of this name is in front and its text is shown. */
  async waitFor(name: string): Promise<this> {
    await this.tab(name).and(this.page.locator('.active')).waitFor();
    await this.#group.locator('.editor-instance .view-lines').first().waitFor();
    return this;
  }

  /** Waits until the lines in sight match; returns them. A file that has just come to the front shows its text a moment later. */
  async shows(wanted: RegExp): Promise<string> {
    return untilReads('the text editor', () => this.text(), wanted);
  }

  /** The lines in sight. */
  async text(): Promise<string> {
    return linesOf(this.#group.locator('.editor-instance .view-lines .view-line'));
  }

  /** Replaces the whole text by another. */
  async replaceWith(text: string): Promise<void> {
    await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    const begin = text.split('\n', 5).join('\n');
    await until('the text to be replaced', async () => {
      await this.focus();
      await this.page.keyboard.press('Control+a');
      // Pasted: the editor would indent and close brackets for a typist.
      await this.page.keyboard.press('Control+v');
      return until('the new text', async () => (await this.text()).startsWith(begin) && this.isDirty(), 5000).catch(() => false);
    });
  }

  /** Types at the cursor, as with a keyboard. */
  async type(text: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.type(text);
    await until('the file to count as changed', () => this.isDirty());
  }

  /** Saves and waits until the file is no longer marked as changed. */
  async save(): Promise<void> {
    await until('the file to be saved', async () => {
      await this.focus();
      await this.page.keyboard.press('Control+s');
      return until('it', async () => !(await this.isDirty()), 10_000).catch(() => false);
    });
  }

  async isDirty(): Promise<boolean> {
    return (await this.#group.locator('.tab.active.dirty').count()) > 0;
  }

  /** The names on the tabs of all groups. */
  async tabs(): Promise<string[]> {
    return (await this.page.locator('.tabs-container .tab .monaco-icon-label-container').allTextContents()).map(tidy);
  }

  tab(name: string): Locator {
    return this.page.locator(`.tabs-container .tab[data-resource-name=${JSON.stringify(name)}]`);
  }

  /** Clicks into it until the keyboard is its own: what opens at the same time may take it away again. */
  async focus(): Promise<void> {
    await until('the text editor to have the keyboard', async () => {
      await clicked(this.#group.locator('.editor-instance .view-lines').first());
      return (await this.#group.locator('.editor-instance .monaco-editor.focused').count()) > 0;
    });
  }

  /** Presses an icon of the editor's title bar by its name. */
  async titleAction(name: string | RegExp): Promise<void> {
    await click(`the icon "${name}" of the text editor`, () => this.#group.locator('.editor-actions').getByRole('button', { name }).first());
  }
}

interface Line {
  getBoundingClientRect(): { readonly top: number };
  readonly textContent: string | null;
}

/** The text of lines that the editor paints in any order. */
export async function linesOf(lines: Locator): Promise<string> {
  const placed = await lines.evaluateAll((found: Line[]) => found.map((line) => ({ top: line.getBoundingClientRect().top, text: line.textContent ?? '' })));
  return placed.sort((a, b) => a.top - b.top).map(({ text }) => text.replace(/\u00a0/g, ' ')).join('\n');
}
