import * as z from 'zod';
import { plainWords, redact } from '../base/log';
import type { RunPodErrorCode, RunPodErrorFields } from './errors';
import { RunPodError } from './errors';
import type { HttpAnswer } from './http';
import { header } from './http';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly write: boolean;
  /** Taken out of every text that comes back. */
  readonly secrets: readonly string[];
}

/** RFC 9457 as RunPod uses it; each member is worth having without the others. */
const problemSchema = z.object({
  title: z.string().optional().catch(undefined),
  detail: z.string().optional().catch(undefined),
  errors: z.array(z.string()).optional().catch(undefined),
  /** Set by Cloudflare, which tells its own refusals in the same form to whoever accepts JSON. */
  cloudflare_error: z.boolean().optional().catch(undefined),
});

/**
 * The words with which a refusal means that no machine is free. RunPod has no code for it, and the status (400, for a
 * start perhaps 409) is shared with broken rules.
 */
const capacityWords =
  /no longer any instances available|not enough free gpus|no (?:free |available )?(?:instances?|machines?|gpus?|capacity)\b.*\bavailable|no (?:free |available )?(?:instances|machines|capacity)\b|(?:insufficient|out of|lack of|without) (?:gpu )?(?:capacity|stock)|sold out|could not be placed|does not have the resources to deploy|try a different machine/i;

/** Whether a refusal in these words means that no machine is free. */
export const meansNoCapacity = (words: string): boolean => capacityWords.test(words);

const byStatus: Record<number, RunPodErrorCode> = {
  401: 'unauthorized',
  402: 'payment-required',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  410: 'gone',
  413: 'too-large',
  422: 'invalid',
  429: 'rate-limited',
};

/** `Retry-After` in milliseconds: whole seconds from the API, a date perhaps from what stands before it. */
export function retryAfterMs(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value.trim()) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

export function parseJson(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false };
  }
}

/** What a page says, in one short line. */
const wordsOf = (page: string): string =>
  page
    .slice(0, 20_000)
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** Violations that are told at most. */
const mostErrors = 50;

/** `x-request-id` as it may stand in a log. */
export function requestIdOf(headers: HttpAnswer['headers']): string | undefined {
  const id = header(headers, 'x-request-id');
  return id !== undefined && /^[\w.:-]{1,128}$/.test(id) ? redact(id) : undefined;
}

/** The error an answer stands for, whatever its form, or `undefined` when it is a 2xx. */
export function errorOf(answer: HttpAnswer, asked: Asked): RunPodError | undefined {
  const { status, headers, text } = answer;
  if (status >= 200 && status < 300) return undefined;
  const json = parseJson(text);
  const problem = json.ok ? problemSchema.safeParse(json.value).data : undefined;
  const fromApi = (problem !== undefined && problem.cloudflare_error !== true) || text.trim() === '';
  const clean = (words: string | undefined): string | undefined => (words === undefined || words === '' ? undefined : plainWords(redact(words, asked.secrets)));
  const fields: RunPodErrorFields = {
    method: asked.method,
    path: asked.path,
    status,
    title: clean(problem?.title),
    detail: clean(problem?.detail ?? (problem?.title === undefined ? wordsOf(redact(text.slice(0, 40_000), asked.secrets)).slice(0, 300) : undefined)),
    errors: problem?.errors?.slice(0, mostErrors).map((words) => plainWords(redact(words, asked.secrets))),
    retryAfterMs: retryAfterMs(header(headers, 'retry-after')),
    requestId: requestIdOf(headers),
  };
  return new RunPodError(codeFor(status, fromApi, [problem?.title, problem?.detail, ...(problem?.errors ?? [])].join(' ')), {
    ...fields,
    // A gateway may give up on a request that went through; a refusal of the API's own is a refusal.
    maybeDone: asked.write && (status >= 500 || status < 400 || status === 408 || (!fromApi && status !== 403 && status !== 429)),
  });
}

function codeFor(status: number, fromApi: boolean, words: string): RunPodErrorCode {
  if (status >= 500 || status === 408) return 'server';
  if (status < 400) return 'not-json';
  if (status === 403 && !fromApi) return 'edge-blocked';
  if (status === 429) return 'rate-limited';
  // A page that says 404 is no word of the API: it must not be taken for a pod that is gone.
  if (!fromApi) return 'not-json';
  if ((status === 400 || status === 409) && capacityWords.test(words)) return 'no-capacity';
  return byStatus[status] ?? 'rejected';
}
