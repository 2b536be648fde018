import type { Locator, Page } from 'playwright-core';
import { tidy, until } from './wait';

/** The terminal in front. Its screen can be read because the editor is told to draw it as text. */
export class Terminal {
  readonly #active: Locator;

  constructor(private readonly page: Page) {
    this.#active = page.locator('.terminal-wrapper.active, .terminal-editor .terminal-wrapper').last();
  }

  /** The lines on its screen, without trailing blanks. */
  async text(): Promise<string> {
    const rows = await this.#active.locator('.xterm-rows > div').allTextContents();
    return rows.map((row) => row.replace(/\u00a0/g, ' ').trimEnd()).join('\n').trimEnd();
  }

  /** Waits until its screen matches; returns the screen. */
  async waitFor(wanted: RegExp, ms?: number): Promise<string> {
    let seen = '';
    try {
      return await until(`${wanted} in the terminal`, async () => wanted.test(seen = await this.text()) && seen, ms);
    } catch (error) {
      throw new Error(`${(error as Error).message}; it shows:\n${seen}`);
    }
  }

  /** Types into it, as with a keyboard; `\n` is Enter. */
  async type(text: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.type(text);
  }

  async press(key: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.press(key);
  }

  async focus(): Promise<void> {
    const input = this.#active.locator('.xterm-helper-textarea');
    await input.waitFor({ state: 'attached' });
    await input.focus();
  }

  /** The names of all terminals, from the list at the right or, when there is one only, the panel's title. */
  async names(): Promise<string[]> {
    const list = await this.page.locator('.terminal-tabs-entry').allTextContents();
    const single = await this.page.locator('.single-terminal-tab').allTextContents();
    return (list.length > 0 ? list : single).map(tidy);
  }
}
