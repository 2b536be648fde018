import type { Locator, Page } from 'playwright-core';
import { tidy, until } from './wait';

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

  /** The lines in sight. */
  async text(): Promise<string> {
    const lines = await this.#group.locator('.editor-instance .view-lines .view-line').all();
    const placed = await Promise.all(lines.map(async (line) => ({ top: Number.parseFloat(await line.evaluate((element) => (element as unknown as { style: { top: string } }).style.top)), text: (await line.textContent()) ?? '' })));
    return placed.sort((a, b) => a.top - b.top).map(({ text }) => text.replace(/\u00a0/g, ' ')).join('\n');
  }

  /** Replaces the whole text by another. */
  async replaceWith(text: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.press('Control+a');
    // Pasted: the editor would indent and close brackets for a typist.
    await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    await this.page.keyboard.press('Control+v');
    await until('the file to count as changed', () => this.isDirty());
  }

  /** Types at the cursor, as with a keyboard. */
  async type(text: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.type(text);
    await until('the file to count as changed', () => this.isDirty());
  }

  /** Saves and waits until the file is no longer marked as changed. */
  async save(): Promise<void> {
    await this.focus();
    await this.page.keyboard.press('Control+s');
    await until('the file to be saved', async () => !(await this.isDirty()));
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

  async focus(): Promise<void> {
    await this.#group.locator('.editor-instance .view-lines').first().click();
  }

  /** Presses an icon of the editor's title bar by its name. */
  async titleAction(name: string | RegExp): Promise<void> {
    await this.#group.locator('.editor-actions').getByRole('button', { name }).first().click();
  }
}
