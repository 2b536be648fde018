import { CancelledError, isCancelled } from '../../base/errors';
import { sleep } from '../../base/time';
import { PodUnavailableError } from '../../pods/contracts';
import { isSshError } from '../../ssh/errors';
import { defaultSize, type TtySize } from '../tty';
import { RunError } from './errors';
import { newRunId, underSh, type RunRef, type TerminalKind } from './layout';
import type { RunMeta } from './meta';
import type { RunSession } from './session';
import { commandFile, StartExit, startScript } from './startScript';
import { stopRun } from './stop';

export interface RunSpec extends RunMeta {
  readonly size?: TtySize | undefined;
  /** What may give it a terminal, best first; whatever the pod has unless told. */
  readonly terminals?: readonly TerminalKind[];
}

export interface StartedRun extends RunRef {
  readonly terminal: TerminalKind;
}

const DEADLINE_MS = 30_000;
const ATTEMPTS = 6;

/**
 * Starts a command on a pod in a session of its own, so that it outlives the connection, with its output on the pod's
 * volume. A connection that is lost on the way starts nothing twice: the run's folder is made only once the whole command
 * has arrived, and only one can make it.
 * @throws RunError, PodUnavailableError, SshError, CancelledError; RangeError for what no shell can carry
 */
export async function startRun(session: RunSession, spec: RunSpec, signal?: AbortSignal): Promise<StartedRun> {
  const { size = defaultSize, terminals = ['script', 'python3', 'none'], ...meta } = spec;
  const id = newRunId();
  let begun = false;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const link = await session.link(signal);
        const mount = session.pod?.mount?.path;
        const payload = Buffer.from(`${JSON.stringify(meta)}\n${commandFile(session.podId, mount, id, meta)}`);
        begun = true;
        const said = await link.run(underSh(startScript(session.podId, mount, id, payload.length, size, terminals)), { input: payload, deadlineMs: DEADLINE_MS, signal });
        const [word, terminal] = said.stdout.toString().trim().split(' ');
        if (word === 'started') return { podId: session.podId, id, terminal: terminal === 'script' || terminal === 'python3' ? terminal : 'none' };
        const detail = said.stderr.toString().trim().slice(0, 500);
        if (said.code === StartExit.missingTool) throw new RunError('missing-tool', detail);
        throw new RunError(/No space left|quota exceeded/i.test(detail) ? 'no-space' : 'not-started', detail);
      } catch (error) {
        if (!begun || !isPassing(error) || attempt >= ATTEMPTS) throw error;
        await sleep(100 * attempt, signal);
      }
    }
  } catch (error) {
    // It may have begun although nobody waits for it any more.
    if (begun && (isCancelled(error) || signal?.aborted)) void stopRun(session, { podId: session.podId, id }).catch(() => undefined);
    throw signal?.aborted ? new CancelledError() : error;
  }
}

const isPassing = (error: unknown): boolean =>
  isSshError(error, 'closed') || isSshError(error, 'timeout') || (error instanceof PodUnavailableError && (error.code === 'unreachable' || error.code === 'no-ssh'));
