import * as assert from 'node:assert/strict';
import { isCancelled } from '../../src/base/errors';
import { PodUnavailableError } from '../../src/pods/contracts';
import { waitUntilReady, type ReadyDeps, type ReadyOptions, type ReadyProgress } from '../../src/pods/ready';
import { RunPodError } from '../../src/runpod/errors';
import type { Pod } from '../../src/runpod/types';
import { makeKeyPair, startSshd, type Sshd } from '../support/sshd';
import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { aPod } from './podFixture';
import { until } from '../support/until';
import { ScriptedLog } from './sessionLog';

/** What is to be waited for may take its time on a busy machine. */
const timings = { pollMs: 5, pollCapMs: 20, readMs: 1_000, probeMs: 500, unseenMs: 60_000, goneMs: 60_000, publicPortWaitMs: 60_000, silentSshMs: 60_000 };
/** For those who wait for something to be given up. */
const hasty = ({ deps }: { readonly deps: ReadyDeps }): ReadyDeps => ({ ...deps, timings: { ...timings, unseenMs: 300, goneMs: 60, publicPortWaitMs: 150, silentSshMs: 400 } });
const apiError = (code: 'not-found' | 'network' | 'unauthorized' | 'forbidden'): RunPodError => new RunPodError(code, { method: 'GET', path: '/v2/pods/llamaft01' });

/** Plays a series of answers to `getPod`, the last one for ever. */
function script(...answers: (Pod | Error)[]): { deps: ReadyDeps; log: ScriptedLog; reads: () => number } {
  const log = new ScriptedLog();
  let reads = 0;
  const deps: ReadyDeps = {
    getPod: async () => {
      const answer = answers[Math.min(reads++, answers.length - 1)];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('No answer');
      return answer;
    },
    logs: log.read,
    timings,
  };
  return { deps, log, reads: () => reads };
}

const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);
const code = (wanted: string) => (error: unknown) => error instanceof PodUnavailableError && error.code === wanted;

describe('waiting until a pod is ready', () => {
  let dir: string;
  let sshd: Sshd;
  before(async function () {
    dir = await mkdtemp(path.join(os.tmpdir(), 'runpod-ready-'));
    const key = await makeKeyPair(path.join(dir, 'key'));
    sshd = await startSshd({ authorizedKeys: [key.publicKey] });
  });
  after(async () => {
    await sshd.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const answering = (fields: Partial<Pod> = {}): Pod => aPod({ ssh: { direct: { host: sshd.host, port: sshd.port, username: 'root' } }, startedAt: new Date(), ...fields });
  const silent = (fields: Partial<Pod> = {}): Pod => aPod({ startedAt: new Date(), ...fields });
  const early = (status: Pod['status']): Pod => aPod({ status, ssh: {} });

  it('goes through the phases to the banner of its sshd, with the latest line, the percentage and the price', async () => {
    const { deps, log } = script(
      ...times(2, apiError('not-found')),
      ...times(4, early('PROVISIONING')),
      ...times(30, early('STARTING')),
      ...times(3, aPod({ ssh: {}, startedAt: new Date() })),
      ...times(3, silent()),
      answering(),
    );
    const seen: ReadyProgress[] = [];
    const onProgress = (progress: ReadyProgress): void => {
      seen.push(progress);
      if (progress.phase === 'pulling' && progress.line === undefined) log.add(['3f1cab2290aa: Downloading 250MB/1GB'], { source: 'system' });
      if (progress.phase === 'starting' && !(progress.line ?? '').includes('Pod')) log.add(['\x1b[32mPod Started\x1b[0m']);
    };
    const pod = await waitUntilReady(deps, 'llamaft01', { onProgress });
    assert.equal(pod.ssh.direct?.port, sshd.port);
    assert.deepEqual([...new Set(seen.map((p) => p.phase))], ['placing', 'pulling', 'starting', 'ssh', 'ready']);
    assert.ok(seen.some((p) => p.phase === 'pulling' && p.percent === 20 && p.line?.startsWith('3f1cab2290aa') === true));
    assert.equal(seen.at(-1)?.line, 'Pod Started');
    const last = seen.at(-1)!;
    assert.ok(Math.abs((last.spent ?? 0) - (0.44 * last.elapsedMs) / 3_600_000) < 1e-9);
    await until(() => log.open === 0, 'the log is left');
  });

  it('does not take the address of the start before, though something answers there', async () => {
    const stranger = answering();
    const own = aPod({ startedAt: new Date(), ssh: { direct: { host: 'localhost', port: sshd.port, username: 'root' } } });
    const { deps } = script(stranger, own);
    assert.equal((await waitUntilReady(deps, 'llamaft01')).ssh.direct?.host, 'localhost');
  });

  it('says that a pod has no public port, at once where none was asked for, else after a while', async () => {
    const proxy = { host: 'ssh.runpod.io', port: 22, username: 'llamaft01-64411eb2' };
    await assert.rejects(waitUntilReady(script(aPod({ ports: ['8888/http'], ssh: { proxy } })).deps, 'llamaft01'), code('proxy-only'));
    const community = script(aPod({ cloud: 'COMMUNITY', ssh: { proxy }, startedAt: new Date() }));
    await assert.rejects(waitUntilReady(hasty(community), 'llamaft01'), code('proxy-only'));
    assert.ok(community.reads() > 3);
  });

  it('goes on waiting for the port of a Secure Cloud pod', async () => {
    const proxy = { host: 'ssh.runpod.io', port: 22, username: 'llamaft01-64411eb2' };
    const { deps } = script(...times(25, aPod({ ssh: { proxy } })), answering());
    assert.equal((await waitUntilReady(deps, 'llamaft01')).status, 'RUNNING');
  });

  it('knows by the log that the image is still coming, though the pod is RUNNING and has an address: no alarm about SSH, nor about a port', async () => {
    const proxy = { host: 'ssh.runpod.io', port: 22, username: 'llamaft01-64411eb2' };
    for (const fields of [{}, { cloud: 'COMMUNITY' as const, ssh: { proxy } }]) {
      const still = silent(fields);
      let now: Pod = still;
      const { deps, log } = script(still);
      const lines = ['create container runpod/pytorch:1', '1 Pulling from runpod/pytorch', '38e4c3f3c358 Pulling fs layer', '38e4c3f3c358 Downloading'];
      log.add(lines, { source: 'system' });
      const phases = new Set<string>();
      const asked: string[] = [];
      const ready = waitUntilReady({ ...deps, getPod: async () => now }, 'llamaft01', { onProgress: ({ phase }) => phases.add(phase), onStuck: async ({ code: reason }) => { asked.push(reason); return 'stop'; } });
      await until(() => phases.has('pulling'), 'the image is seen to come');
      // Longer than an sshd may stay silent, and than a port may take.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      log.add(['38e4c3f3c358 Pull complete', 'start container for runpod/pytorch:1: begin'], { source: 'system' });
      now = answering();
      assert.equal((await ready).status, 'RUNNING');
      assert.deepEqual(asked, []);
      assert.ok(phases.has('ready'));
    }
  });

  it('asks at once, with RunPod’s words, when the container fails to start again and again, and once about the same', async () => {
    const { deps, log } = script(silent());
    const why = 'error starting container: nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8';
    const asked: string[] = [];
    const enough = new AbortController();
    const waiting = waitUntilReady(deps, 'llamaft01', { signal: enough.signal, onStuck: async ({ code: reason, failure }) => { asked.push(`${reason} ${failure}`); return 'wait'; } });
    log.add(['start container for runpod/pytorch:1: begin', why], { source: 'system' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(asked, [], 'once may be chance');
    log.add(['start container for runpod/pytorch:1: begin', why], { source: 'system' });
    await until(() => asked.length === 1, 'it asks');
    assert.deepEqual(asked, [`failed ${why}`]);
    log.add(['start container for runpod/pytorch:1: begin', why], { source: 'system' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(asked.length, 1, 'the same is no news');
    log.add(['start container for runpod/pytorch:1: begin', `${why} again`], { source: 'system' });
    await until(() => asked.length === 2, 'it asks about another reason');
    enough.abort();
    await assert.rejects(waiting, isCancelled);
  });

  it('asks when sshd never greets, waits on, and ends with the reason when told to stop', async () => {
    const deps = hasty(script(silent()));
    const asked: string[] = [];
    const onStuck: NonNullable<ReadyOptions['onStuck']> = async ({ code: reason, phase }) => {
      asked.push(`${phase} ${reason}`);
      return asked.length === 1 ? 'wait' : 'stop';
    };
    await assert.rejects(waitUntilReady(deps, 'llamaft01', { onStuck }), code('no-ssh'));
    assert.deepEqual(asked, ['ssh no-ssh', 'ssh no-ssh']);
    await assert.rejects(waitUntilReady(deps, 'llamaft01'), code('no-ssh'), 'with nobody to ask it ends');
  });

  it('asks after the given time, beside the wait: a pod that gets ready meanwhile ends the question', async () => {
    let ready = false;
    let questionEnded = false;
    const deps: ReadyDeps = { ...script(early('STARTING')).deps, getPod: async () => (ready ? answering() : early('STARTING')) };
    const pod = await waitUntilReady(deps, 'llamaft01', {
      stuckAfterMs: 50,
      onStuck: (_stuck, signal) => {
        ready = true;
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            questionEnded = true;
            reject(new Error('closed'));
          }),
        );
      },
    });
    assert.equal(pod.status, 'RUNNING');
    assert.ok(questionEnded);
  });

  it('tolerates EXITED right after a start, and not when the pod had come up', async () => {
    const { deps } = script(...times(5, early('EXITED')), early('STARTING'), answering());
    assert.equal((await waitUntilReady(deps, 'llamaft01')).status, 'RUNNING');
    await assert.rejects(waitUntilReady(script(early('STARTING'), early('EXITED')).deps, 'llamaft01'), code('stopped'));
    await assert.rejects(waitUntilReady(script(early('STARTING'), early('ERROR')).deps, 'llamaft01'), code('failed'));
    await assert.rejects(waitUntilReady(hasty(script(early('EXITED'))), 'llamaft01'), code('stopped'));
  });

  it('tolerates 404 right after the create, a short 404 later, and believes a lasting one', async () => {
    const { deps } = script(...times(6, apiError('not-found')), early('PROVISIONING'), apiError('not-found'), answering());
    assert.equal((await waitUntilReady(deps, 'llamaft01')).status, 'RUNNING');
    await assert.rejects(waitUntilReady(hasty(script(apiError('not-found'))), 'llamaft01'), code('gone'));
    await assert.rejects(waitUntilReady(hasty(script(early('STARTING'), apiError('not-found'))), 'llamaft01'), code('gone'));
  });

  it('outlasts an API that cannot be reached, and says so; a refused key ends it', async () => {
    const { deps } = script(early('STARTING'), ...times(5, apiError('network')), answering());
    const seen: ReadyProgress[] = [];
    await waitUntilReady(deps, 'llamaft01', { onProgress: (p) => seen.push(p) });
    assert.ok(seen.some((p) => p.problem instanceof RunPodError));
    await assert.rejects(waitUntilReady(script(apiError('unauthorized')).deps, 'llamaft01'), code('no-api-key'));
  });

  it('ends at once when cancelled, wherever it is, and leaves no stream open', async () => {
    const hanging: ReadyDeps = { ...script(silent()).deps, getPod: (_id, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))) };
    const waiting = script(early('STARTING'));
    for (const [deps, log] of [[hanging, undefined], [waiting.deps, waiting.log], [{ ...waiting.deps, timings: { ...timings, pollMs: 60_000, pollCapMs: 60_000 } }, waiting.log]] as const) {
      const cancel = new AbortController();
      const wait = waitUntilReady(deps, 'llamaft01', { signal: cancel.signal });
      setTimeout(() => cancel.abort(), 30);
      const began = Date.now();
      await assert.rejects(wait, isCancelled);
      assert.ok(Date.now() - began < 5_000);
      if (log) await until(() => log.open === 0, 'the log is left');
    }
  });
});
