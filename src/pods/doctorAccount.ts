import { stat } from 'node:fs/promises';
import { withDeadline } from '../base/time';
import { publicBlobs } from '../ssh/identity';
import { isSshError } from '../ssh/errors';
import { messageOf } from '../base/errors';
import { failed, failureOf, ok, warning, type Check, type Finding, type Visit } from './doctorFindings';

/** The steps that need no pod. */
export const accountChecks: readonly Check[] = [
  { id: 'api-key', blocks: true, run: checkApiKey },
  { id: 'account', blocks: false, run: checkAccount },
  { id: 'ssh-key', blocks: false, run: checkSshKey },
];

/** Credit for less than this many hours is worth a warning. */
const lowHours = 1;

async function checkApiKey({ deps, timings, signal }: Visit): Promise<Finding> {
  await withDeadline(deps.checkApiKey(signal), timings.readMs, 'The API', signal);
  return ok('accepted');
}

/** The balance is known by a second, older interface that a key may not open; that alone is nothing wrong. */
async function checkAccount({ deps, timings, signal }: Visit): Promise<Finding> {
  const account = await withDeadline(deps.readAccount(signal), timings.readMs, 'The account', signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
    return undefined;
  });
  const { balance, spendPerHour } = account ?? {};
  if (balance === undefined) return warning('balance-unknown', 'check-permissions');
  const params = { balance, spendPerHour };
  if (balance <= 0) return failed('balance-gone', 'top-up', params);
  if (spendPerHour !== undefined && spendPerHour > 0 && balance / spendPerHour < lowHours) return warning('balance-low', 'top-up', params);
  return ok('balance', params);
}

async function checkSshKey(visit: Visit): Promise<Finding> {
  const { deps, signal } = visit;
  let own: Awaited<ReturnType<typeof deps.ownKey>>;
  try {
    own = await deps.ownKey();
  } catch (error) {
    const params = isSshError(error) ? { path: error.params.path, reason: error.params.reason, detail: error.message } : { detail: messageOf(error) };
    return failed('own-key-unusable', 'make-ssh-key', params);
  }
  const path = own.privateKeyPath;
  // Windows keeps others out by the profile's access rules, which the mode does not show.
  const mode = process.platform === 'win32' ? 0 : ((await stat(path)).mode & 0o777);
  if ((mode & 0o077) !== 0) return warning('own-key-open', 'protect-ssh-key', { path, mode: mode.toString(8) });
  if (visit.podId === undefined) return accountHas(visit, own.publicKeyLine, path);

  await readAhead(visit);
  const { pod } = visit;
  // What is wrong with the pod is the next step's to say.
  if (pod === undefined) return ok('own-key', { path });
  const inPod = new Set(publicBlobs(pod.env['PUBLIC_KEY'] ?? ''));
  if (publicBlobs(own.publicKeyLine).some((blob) => inPod.has(blob))) return ok('own-key-in-pod', { path });
  signal.throwIfAborted();
  visit.identities ??= await deps.identities(pod);
  const other = visit.identities.find(({ publicBlob }) => inPod.has(publicBlob.toString('base64')));
  if (other) return ok('other-key-in-pod', { path: other.path ?? other.label });
  return inPod.size === 0
    ? warning('pod-without-keys', 'create-pod-with-key', { path })
    : warning('no-key-in-pod', 'create-pod-with-key', { path, keys: visit.identities.map(({ label }) => label) });
}

/** Pods by other clients get the account's keys, and the proxy knows no others. */
async function accountHas({ deps, timings, signal }: Visit, line: string, path: string): Promise<Finding> {
  try {
    const known = new Set(publicBlobs(await withDeadline(deps.accountKeys(signal), timings.readMs, 'The keys of the account', signal)));
    return ok(publicBlobs(line).some((blob) => known.has(blob)) ? 'own-key-in-account' : 'own-key-not-in-account', { path });
  } catch (error) {
    if (signal.aborted) throw error;
    return { ...failureOf(error), outcome: 'warning' };
  }
}

async function readAhead(visit: Visit): Promise<void> {
  const { deps, timings, podId, signal } = visit;
  if (podId === undefined) return;
  try {
    visit.pod = await withDeadline(deps.getPod(podId, signal), timings.readMs, 'The pod', signal);
  } catch (error) {
    if (signal.aborted) throw error;
    visit.podProblem = error;
  }
}
