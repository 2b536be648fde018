import type { Page } from 'playwright-core';

/**
 * Presses Refresh Pods in the title of the Pods view.
 * @returns ms by the window's own clock until a row in sight shows `text`
 */
export async function msToPaint(page: Page, text: string): Promise<number> {
  await page.locator('.part.sidebar').hover();
  await page.locator('.part.sidebar').getByRole('button', { name: 'Refresh Pods' }).first().waitFor();
  return page.evaluate<number>(`new Promise((resolve) => {
    const sidebar = document.querySelector('.part.sidebar');
    const shown = () => [...sidebar.querySelectorAll('.monaco-list-row .label-description')].some((row) => row.textContent.includes(${JSON.stringify(text)}));
    const began = performance.now();
    const observer = new MutationObserver(() => {
      if (!shown()) return;
      observer.disconnect();
      // What is in the document now is on the screen after the next frame.
      requestAnimationFrame(() => resolve(performance.now() - began));
    });
    observer.observe(sidebar, { subtree: true, childList: true, characterData: true });
    sidebar.querySelector('[role=button][aria-label^="Refresh Pods"]').click();
  })`);
}
