import type { ClientChannel } from 'ssh2';
import { isCancelled, messageOf } from '../base/errors';
import { withDeadline } from '../base/time';
import { SshConnection } from '../ssh/connection';
import { isSshError, SshError } from '../ssh/errors';
import type { HostKey } from '../ssh/hostKeys';
import type { PinSubject } from '../ssh/pins';
import type { ShellOptions } from '../ssh/sessions';
import { PodUnavailableError } from './contracts';
import type { ReachDeps, ReachTimings } from './reach';
import { unavailableByAddress, unavailableByApi, unavailableByStatus, unavailableCodeOf } from './unavailable';

/**
 * Opens a shell on a pod through RunPod's SSH proxy, whose host key is pinned by its host name. The proxy knows the
 * account's keys, not those in a pod's `PUBLIC_KEY`.
 * @throws PodUnavailableError; CancelledError
 */
export async function openProxyShell(deps: ReachDeps, timings: ReachTimings, podId: string, options: ShellOptions & { signal: AbortSignal }): Promise<ClientChannel> {
  const { signal } = options;
  const pod = await withDeadline(deps.getPod(podId, signal), timings.readMs, `Reading pod ${podId}`, signal).catch((error: unknown) => {
    if (isCancelled(error)) throw error;
    throw unavailableByApi(podId, error);
  });
  const proxy = pod.ssh.proxy;
  if (!proxy) {
    throw unavailableByAddress(pod) ?? unavailableByStatus(pod) ?? new PodUnavailableError('no-ssh', podId, pod, { detail: `Pod ${podId} has no SSH proxy address` });
  }
  const subject: PinSubject = { host: proxy.host };
  let mismatch: { shown: string; expected: readonly string[] } | undefined;
  const { host, port } = proxy;
  try {
    const connection = await SshConnection.connect({
      host,
      port,
      username: proxy.username,
      identities: await deps.identities(pod),
      verifyHostKey: async (key: HostKey) => {
        const { verdict, expected } = await deps.pins.judge(subject, key);
        if (verdict === 'mismatch') mismatch = { shown: key.fingerprint, expected };
        return verdict;
      },
      deadlineMs: timings.stageMs,
      keepaliveMs: timings.keepaliveMs,
      signal,
      log: deps.log,
    });
    const { hostKey } = connection;
    const kept = await deps.pins.pin(subject, hostKey).catch((error: unknown) => (deps.log.warn(`The host key of ${host} could not be kept: ${messageOf(error)}`), true));
    if (!kept) {
      // Another window was first, and met another server.
      connection.end();
      mismatch = { shown: hostKey.fingerprint, expected: (await deps.pins.judge(subject, hostKey)).expected };
      throw new SshError('host-key-mismatch', { host, port, keyType: hostKey.type, fingerprint: hostKey.fingerprint, expected: mismatch.expected });
    }
    try {
      const channel = await connection.shell(options);
      channel.once('close', () => connection.end());
      return channel;
    } catch (error) {
      connection.end();
      throw error;
    }
  } catch (error) {
    if (isCancelled(error) || signal.aborted) throw error;
    const detail = mismatch && `${host} shows the host key ${mismatch.shown}, expected ${mismatch.expected.join(' or ')}`;
    throw new PodUnavailableError(isSshError(error) ? unavailableCodeOf(error) : 'unreachable', podId, pod, {
      cause: error,
      detail: detail ?? messageOf(error),
      facts: { host, port, ...(mismatch ? { fingerprint: mismatch.shown, expected: mismatch.expected, expectedFrom: 'pin' as const } : {}) },
    });
  }
}
