import { CancelledError } from '../base/errors';
import { withDeadline } from '../base/time';
import { accountChecks } from './doctorAccount';
import { connectionChecks } from './doctorConnection';
import { failureOf, type DoctorDeps, type DoctorStep, type DoctorStepId, type Visit } from './doctorFindings';
import { defaultReachTimings } from './reach';

export type { DoctorDeps, DoctorHint, DoctorStep, DoctorStepId } from './doctorFindings';

/** The longest a single step may take; each of its calls has a shorter deadline of its own. A person may be asked for a passphrase. */
const stepMs = 150_000;

/**
 * Looks at everything that stands between a person and a pod, step by step, and says which step fails and what to do.
 * Changes nothing, but for a file of a few bytes that is written to the mount and removed, and the pin of a host key that
 * a login succeeded with.
 * @throws CancelledError when `stop` aborts; failures are findings
 */
export async function* diagnose(deps: DoctorDeps, podId?: string, stop?: AbortSignal): AsyncGenerator<DoctorStep, void, undefined> {
  const ended = new AbortController();
  const signal = stop ? AbortSignal.any([stop, ended.signal]) : ended.signal;
  const visit: Visit = { deps, timings: { ...defaultReachTimings, ...deps.timings }, podId, signal };
  let broken: DoctorStepId | undefined;
  try {
    for (const { id, blocks, run } of [...accountChecks, ...(podId === undefined ? [] : connectionChecks)]) {
      if (signal.aborted) throw new CancelledError();
      if (broken !== undefined) {
        yield { id, outcome: 'not-reached', code: 'not-reached', params: { after: broken } };
        continue;
      }
      const finding = await withDeadline(run(visit), stepMs, id, signal).catch((error: unknown) => {
        if (signal.aborted) throw new CancelledError();
        return failureOf(error);
      });
      if (finding.outcome === 'failed' && blocks) broken = id;
      yield { id, ...finding };
    }
  } finally {
    // What a step that ran out of time still does ends with us too.
    ended.abort();
    visit.connection?.end();
  }
}
