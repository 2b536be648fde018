import { randomUUID } from 'node:crypto';
import { messageOf } from '../base/errors';
import { quote } from '../base/shell';
import { withDeadline } from '../base/time';
import type { Pod } from '../runpod/types';
import { SshConnection } from '../ssh/connection';
import { isSshError, type SshError } from '../ssh/errors';
import { probeBanner } from '../ssh/probe';
import { openTcp } from '../ssh/tcp';
import { addressOf, startedFor, type PodAddress } from './address';
import { PodUnavailableError } from './contracts';
import { failed, failureOf, ok, warning, type Check, type DoctorHint, type Finding, type Visit } from './doctorFindings';
import { HostKeyCheck } from './hostKeyTrust';
import { PrintedKeys } from './printedKeys';

/** The steps from a pod's state to its files, each standing on the one before. */
export const connectionChecks: readonly Check[] = [
  { id: 'pod', blocks: true, run: checkPod },
  { id: 'address', blocks: true, run: checkAddress },
  { id: 'port', blocks: true, run: checkPort },
  { id: 'banner', blocks: true, run: checkBanner },
  { id: 'host-key', blocks: true, run: checkHostKey },
  { id: 'login', blocks: true, run: checkLogin },
  { id: 'sftp', blocks: false, run: checkSftp },
  { id: 'mount', blocks: false, run: checkMount },
];

async function checkPod(visit: Visit): Promise<Finding> {
  const { deps, timings, podId = '', signal, podProblem } = visit;
  if (podProblem !== undefined) return failureOf(podProblem);
  const pod = (visit.pod ??= await withDeadline(deps.getPod(podId, signal), timings.readMs, 'The pod', signal));
  const params = { name: pod.name, status: pod.status, image: pod.image };
  const hints: Partial<Record<Pod['status'], DoctorHint>> = { EXITED: 'start-pod', ERROR: 'show-log', TERMINATED: 'refresh', PROVISIONING: 'wait', STARTING: 'wait' };
  const hint = hints[pod.status];
  return hint === undefined ? ok('running', params) : failed(pod.status.toLowerCase(), hint, params);
}

async function checkAddress(visit: Visit): Promise<Finding> {
  const pod = podOf(visit);
  try {
    visit.address = addressOf(pod, { now: nowOf(visit), publicPortWaitMs: visit.timings.publicPortWaitMs });
    return ok('direct', { ...visit.address });
  } catch (error) {
    if (!(error instanceof PodUnavailableError)) throw error;
    if (error.code === 'starting') return failed('no-address-yet', 'wait');
    if (error.code === 'bad-address') return failed('bad-address', 'check-network', { host: pod.ssh.refused ?? '' });
    if (!pod.ports.includes('22/tcp')) return failed('ssh-port-not-exposed', pod.ssh.proxy ? 'use-proxy-terminal' : 'expose-ssh-port', { ports: pod.ports });
    return failed('no-public-address', pod.ssh.proxy ? 'use-proxy-terminal' : 'restart-pod', { cloud: pod.cloud });
  }
}

async function checkPort(visit: Visit): Promise<Finding> {
  const { host, port } = addressIn(visit);
  const began = performance.now();
  try {
    const socket = await openTcp(host, port, { deadlineMs: visit.timings.probeMs, signal: visit.signal });
    socket.destroy();
    return ok('open', { host, port, ms: Math.round(performance.now() - began) });
  } catch (error) {
    if (!isSshError(error)) throw error;
    const refused = error.code === 'refused';
    return failed(error.code, isFresh(visit) ? 'wait' : refused ? 'use-ssh-image' : 'check-network', { host, port, detail: error.params.detail });
  }
}

async function checkBanner(visit: Visit): Promise<Finding> {
  const { host, port } = addressIn(visit);
  try {
    const { banner, ms } = await probeBanner(host, port, { deadlineMs: visit.timings.probeMs, signal: visit.signal });
    return ok('greeted', { banner, ms });
  } catch (error) {
    if (!isSshError(error)) throw error;
    return failed(error.params.reason ?? error.code, isFresh(visit) ? 'wait' : 'use-ssh-image', { host, port, detail: error.params.detail });
  }
}

/** Connects and logs in, because a server shows its key on the way; what came of the login is the next step's to say. */
async function checkHostKey(visit: Visit): Promise<Finding> {
  const { deps, timings, signal } = visit;
  const pod = podOf(visit);
  const { host, port, username } = addressIn(visit);
  const printed = new PrintedKeys(deps.logs, pod, deps.log, timings.printedKeys, (deps.now ?? Date.now)());
  // The doctor has not watched the address, so right after a start it trusts nobody unproven.
  const check = new HostKeyCheck(deps.pins, pod, printed, deps.log, () => isFresh(visit));
  visit.hostKey = check;
  try {
    visit.connection = await SshConnection.connect({
      host,
      port,
      username,
      identities: (visit.identities ??= await deps.identities(pod)),
      expectedPublicKeys: (pod.env['PUBLIC_KEY'] ?? '').split('\n'),
      verifyHostKey: (key) => check.verify(key),
      deadlineMs: timings.stageMs,
      signal,
      log: deps.log,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    visit.loginProblem = error;
  } finally {
    printed.dispose();
  }
  const shown = check.shown;
  if (check.mismatch) {
    const { expected, expectedFrom } = check.mismatch;
    return failed('mismatch', isFresh(visit) ? 'wait' : 'compare-host-keys', { fingerprint: check.mismatch.shown, expected, expectedFrom });
  }
  if (check.tooEarly) return failed('too-early', 'wait', { fingerprint: shown });
  if (check.unreadableLog !== undefined) return failed('log-unreadable', 'try-later', { fingerprint: shown, detail: messageOf(check.unreadableLog) });
  if (check.verdict === undefined) return failed('handshake', 'try-later', { fingerprint: shown, detail: messageOf(visit.loginProblem) });
  return ok(check.verdict, { fingerprint: shown });
}

async function checkLogin(visit: Visit): Promise<Finding> {
  const { connection, loginProblem, hostKey } = visit;
  if (connection !== undefined) {
    await hostKey?.remember();
    return ok('logged-in', { username: visit.address?.username, key: connection.identity?.path ?? connection.identity?.label });
  }
  if (!isSshError(loginProblem)) return failed('unexpected', 'try-later', { detail: messageOf(loginProblem) });
  return failed(loginProblem.code, loginHint(loginProblem), {
    offered: loginProblem.params.offered,
    notOffered: loginProblem.params.notOffered,
    path: loginProblem.params.path,
    detail: loginProblem.params.detail,
  });
}

function loginHint(error: SshError): DoctorHint {
  if (error.code === 'key-locked') return 'unlock-ssh-key';
  if (error.code === 'key-unreadable') return 'make-ssh-key';
  return error.code === 'auth-failed' ? 'create-pod-with-key' : 'try-later';
}

/** Opens the subsystem and says hello in version 3, as every SFTP client does. */
async function checkSftp(visit: Visit): Promise<Finding> {
  const channel = await connectionOf(visit)
    .rawSftp({ signal: visit.signal })
    .catch((error: unknown) => {
      if (!isSshError(error)) throw error;
      return error;
    });
  if (channel instanceof Error) return failed(channel.code, 'install-sftp', { detail: channel.params.detail });
  try {
    const version = await withDeadline(
      new Promise<number>((resolve, reject) => {
        let seen = Buffer.alloc(0);
        channel.on('data', (chunk: Buffer) => {
          seen = Buffer.concat([seen, chunk]);
          if (seen.length >= 9) resolve(seen[4] === 2 ? seen.readUInt32BE(5) : 0);
        });
        channel.once('close', () => reject(new Error('The SFTP server ended')));
        channel.write(Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]));
      }),
      visit.timings.stageMs,
      'SFTP',
      visit.signal,
    );
    return version >= 3 ? ok('sftp', { version }) : failed('no-sftp', 'install-sftp', { version });
  } catch (error) {
    if (visit.signal.aborted) throw error;
    return failed('no-sftp', 'install-sftp', { detail: messageOf(error) });
  } finally {
    channel.end();
  }
}

/** Is the mount where the API says, and can something be put there? */
async function checkMount(visit: Visit): Promise<Finding> {
  const path = podOf(visit).mount?.path;
  if (path === undefined) return warning('no-mount', 'add-storage');
  const script = [
    `cd -- ${quote(path)} 2>/dev/null || { [ -e ${quote(path)} ] && exit 12; exit 11; }`,
    // A name of our own, so that what is removed is ours.
    `f=./.runpod-workspaces-doctor-${randomUUID()}`,
    'printf 0123456789abcdef > "$f" || { rm -f "$f"; exit 13; }',
    '[ -s "$f" ] || { rm -f "$f"; exit 14; }',
    'rm -f "$f"',
    'df -Pk . 2>/dev/null | tail -n 1',
  ].join('\n');
  const { code, stdout, stderr } = await connectionOf(visit).run(`sh -c ${quote(script)}`, { deadlineMs: visit.timings.stageMs, signal: visit.signal });
  const said = stderr.toString().trim();
  if (code === 0) return ok('writable', { path, freeKb: freeKb(stdout.toString()) });
  if (code === 11) return failed('missing', 'restart-pod', { path });
  if (code === 12) return failed('no-access', 'show-log', { path, detail: said });
  const full = code === 14 || /no space|quota/i.test(said);
  return full ? failed('full', 'free-space', { path, detail: said }) : failed('not-writable', 'show-log', { path, detail: said });
}

/** The last line of `df -Pk`. A network volume shows the whole pool, so this is an upper bound. */
function freeKb(df: string): number | undefined {
  const free = Number(df.trim().split(/\s+/)[3]);
  return Number.isFinite(free) ? free : undefined;
}

const nowOf = ({ deps }: Visit): number => (deps.now ?? Date.now)();

function isFresh(visit: Visit): boolean {
  const age = startedFor(podOf(visit), nowOf(visit));
  return age !== undefined && age < visit.timings.freshMs;
}

function podOf({ pod }: Visit): Pod {
  if (pod === undefined) throw new Error('The pod has not been read');
  return pod;
}

function addressIn({ address }: Visit): PodAddress {
  if (address === undefined) throw new Error('The address is not known');
  return address;
}

function connectionOf({ connection }: Visit): SshConnection {
  if (connection === undefined) throw new Error('There is no connection');
  return connection;
}
