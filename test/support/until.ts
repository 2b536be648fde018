import { sleep } from '../../src/base/time';

/**
 * Looks until `condition` holds, by default for a minute: a test that waits for what has to come costs no longer than that
 * takes, and a machine with much else to do may take long. By a clock that nobody sets.
 * @param what what is waited for, told when it does not come
 */
export async function until(condition: () => boolean | Promise<boolean>, what: string | (() => unknown), ms = 60_000): Promise<void> {
  for (const end = performance.now() + ms; !(await condition()); await sleep(10)) {
    if (performance.now() < end) continue;
    const words = typeof what === 'string' ? what : await what();
    throw new Error(`Not within ${ms} ms: ${typeof words === 'string' ? words : JSON.stringify(words)}`);
  }
}
