import type { Page } from 'playwright-core';
import { until } from './wait';

/**
 * Waits until the browser keeps what an extension has stored: the editor writes it down a moment after it was said, on a busy
 * machine a long moment, and a window that is reloaded before has never heard of it.
 * @param what is found in the text of what is kept
 */
export async function untilKept(page: Page, what: RegExp): Promise<void> {
  await until(`the browser to keep ${what}`, async () => what.test(await page.evaluate<string>(readAll)));
}

/** All texts in the editor's databases. */
const readAll = `(async () => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const texts = [];
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith('vscode-web-state-db')) continue;
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames) texts.push(...await done(database.transaction(store).objectStore(store).getAll()));
    database.close();
  }
  return texts.filter((text) => typeof text === 'string').join('\\n');
})()`;
