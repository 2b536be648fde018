import { messageOf } from '../../../src/base/errors';
import { sleep } from '../../../src/base/time';

/** How long a condition may take to come true when nothing else is said: a loaded machine, not a slow editor. */
export const patience = 30_000;

/**
 * Asks again until there is an answer.
 * @param what names the condition in the error
 * @param ask gives the answer, or undefined, null, false or '' for not yet; may throw for not yet
 */
export async function until<T>(what: string, ask: () => Promise<T | undefined | null | false | ''> | T | undefined | null | false | '', ms = patience): Promise<T> {
  const end = Date.now() + ms;
  let last = '';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false && answer !== '') return answer;
    } catch (error) {
      last = messageOf(error);
    }
    if (Date.now() > end) throw new Error(`Waited ${ms / 1000} s for ${what}${last === '' ? '' : ` (${last.split('\n')[0]})`}`);
    await sleep(50);
  }
}

/** Whether a text is, or matches, what is looked for. */
export function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : wanted.test(text);
}

/** A text as a person reads it: one kind of space, none at the ends. */
export const tidy = (text: string | null | undefined): string => (text ?? '').replace(/[\u00a0\u200b]/g, ' ').replace(/\s+/g, ' ').trim();

/** A pattern for Playwright's `hasText` that fits this text and nothing more. */
export const exactly = (text: string): RegExp => new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
