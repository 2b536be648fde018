import { CancelledError, isCancelled, messageOf } from '../base/errors';
import { plainWords, redact } from '../base/log';
import { callError, type Call } from './call';
import { RunPodError } from './errors';
import type { HttpAnswer } from './http';
import { codeOf, header, HttpFailure } from './http';
import { errorOf, parseJson, requestIdOf } from './problem';
import { TruncatedJson } from './retry';

/** The JSON of an answer that is none of a refusal; `undefined` where there is no body. */
export function valueOf(answer: HttpAnswer, call: Call): unknown {
  if (answer.status === 204 || (call.write && answer.text.trim() === '')) return undefined;
  const json = parseJson(answer.text);
  if (json.ok) return json.value;
  const cut = /\bjson\b/i.test(header(answer.headers, 'content-type') ?? '');
  throw callError('not-json', call, {
    status: answer.status,
    detail: cut ? 'The answer is cut off or no JSON' : 'The answer is no JSON',
    cause: cut ? new TruncatedJson() : undefined,
    requestId: requestIdOf(answer.headers),
    maybeDone: call.write,
  });
}

/** Why an answer is no good, in its status or its headers. @param baseUrl where the call went */
export function refusalOf(answer: HttpAnswer, call: Call, key: string, baseUrl: string): RunPodError | undefined {
  const location = header(answer.headers, 'location');
  if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
    // Following would show the key to whoever the answer names; RunPod's API does not redirect.
    return callError('wrong-origin', call, { status: answer.status, detail: `Redirected to ${safeOrigin(location, baseUrl)}`, maybeDone: call.write });
  }
  return errorOf(answer, { ...call, secrets: [key] });
}

/** What a try that has thrown means. @returns RunPodError or CancelledError */
export function failureOf(thrown: unknown, call: Call, key: string | undefined): unknown {
  if (thrown instanceof RunPodError) return thrown;
  const detail = plainWords(redact(messageOf(thrown), [key]));
  if (!(thrown instanceof HttpFailure)) return isCancelled(thrown) ? new CancelledError() : callError(thrown instanceof Error && thrown.name === 'DeadlineError' ? 'timeout' : 'network', call, { detail, cause: thrown });
  const maybeDone = call.write && thrown.sent;
  switch (thrown.kind) {
    case 'cancelled':
      return new CancelledError();
    case 'timeout':
      return callError('timeout', call, { detail, maybeDone, cause: thrown.cause });
    case 'too-big':
      return callError('unreadable', call, { detail, maybeDone });
    case 'network':
      return callError('network', call, { detail: detail === '' ? (codeOf(thrown.cause) ?? 'connection failed') : detail, maybeDone, cause: thrown.cause });
  }
}

function safeOrigin(location: string, base: string): string {
  try {
    return new URL(location, base).origin;
  } catch {
    return 'an address that cannot be read';
  }
}
