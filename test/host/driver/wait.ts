import { messageOf } from '../../../src/base/errors';
import { sleep } from '../../../src/base/time';

/** How long a condition may take to come true when nothing else is said: a loaded machine, not a slow editor. */
export const patience = 60_000;

type Not = undefined | null | false | '' | 0;

/**
 * Asks again until there is an answer.
 * @param what names the condition in the error
 * @param ask gives the answer, or undefined, null, false, 0 or '' for not yet; may throw for not yet
 */
export async function until<T>(what: string, ask: () => Promise<T | Not> | T | Not, ms = patience): Promise<T> {
  const end = Date.now() + ms;
  let last = '';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false && answer !== '' && answer !== 0) return answer;
    } catch (error) {
      last = messageOf(error);
    }
    if (Date.now() > end) throw new Error(`Waited ${ms / 1000} s for ${what}${last === '' ? '' : ` (${last.split('\n')[0]})`}`);
    await sleep(50);
  }
}

/** Waits until what is read matches; returns it, and says on failure what was read instead. */
export async function untilReads(what: string, read: () => Promise<string>, wanted: RegExp, ms = patience): Promise<string> {
  let seen = '';
  try {
    return await until(`${what} to read ${wanted}`, async () => wanted.test(seen = await read()) && seen, ms);
  } catch (error) {
    throw new Error(`${messageOf(error)}; it reads:\n${seen}`);
  }
}

/** Whether a text is, or matches, what is looked for. */
export function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : wanted.test(text);
}

/** A text as a person reads it: one kind of space, none at the ends. */
export const tidy = (text: string | null | undefined): string => (text ?? '').replace(/[\u00a0\u200b]/g, ' ').replace(/\s+/g, ' ').trim();

/** A pattern for Playwright's `hasText` that fits what is read as this text, and nothing more. */
export const exactly = (text: string): RegExp => {
  const space = '[\\s\\u200b]';
  return new RegExp(`^${space}*${text.split(' ').map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join(`${space}+`)}${space}*$`);
};
