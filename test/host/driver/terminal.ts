import type { Locator, Page } from 'playwright-core';
import { tidy, until, untilReads } from './wait';

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
    return untilReads('the terminal', () => this.text(), wanted, ms);
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
    await until('the terminal to have the keyboard', async () => {
      await this.#active.locator('.xterm-helper-textarea').focus({ timeout: 5000 });
      return (await this.#active.locator('.xterm.focus').count()) > 0;
    });
  }

  /** Follows the link on a text of its screen, until `there`. */
  async follow(text: string, there: () => Promise<boolean>): Promise<void> {
    await until(`the link on “${text}”`, async () => {
      const at = await this.#active.locator('.xterm-rows > div').evaluateAll((rows, wanted): { x: number; y: number } | undefined => {
        interface Row {
          readonly textContent: string | null;
          readonly ownerDocument: { createTreeWalker(root: unknown, show: number): { nextNode(): { textContent: string | null } | null }; createRange(): { setStart(node: unknown, at: number): void; setEnd(node: unknown, at: number): void; getBoundingClientRect(): { x: number; y: number; width: number; height: number } } };
        }
        for (const row of rows as unknown as Row[]) {
          if (row.textContent?.replace(/\u00a0/g, ' ').includes(wanted) !== true) continue;
          const texts = row.ownerDocument.createTreeWalker(row, 4);
          for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
            const start = node.textContent?.replace(/\u00a0/g, ' ').indexOf(wanted) ?? -1;
            if (start < 0) continue;
            const range = row.ownerDocument.createRange();
            range.setStart(node, start);
            range.setEnd(node, start + wanted.length);
            const { x, y, width, height } = range.getBoundingClientRect();
            return { x: x + width / 2, y: y + height / 2 };
          }
        }
        return undefined;
      }, text);
      if (at === undefined) return false;
      // The editor looks for links where the mouse comes to rest.
      await this.page.mouse.move(at.x - 3, at.y);
      await this.page.mouse.move(at.x, at.y);
      await this.page.keyboard.down('Control');
      await this.page.mouse.click(at.x, at.y);
      await this.page.keyboard.up('Control');
      return there();
    });
  }

  /** The names of all terminals, from the list at the right or, when there is one only, the panel's title. */
  async names(): Promise<string[]> {
    const list = await this.page.locator('.terminal-tabs-entry').allTextContents();
    const single = await this.page.locator('.single-terminal-tab').allTextContents();
    return (list.length > 0 ? list : single).map(tidy);
  }
}
