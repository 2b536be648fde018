import * as assert from 'node:assert/strict';
import { silentLog } from '../../src/base/log';
import { PrintedKeys } from '../../src/pods/printedKeys';
import { RunPodError } from '../../src/runpod/errors';
import { aPod } from './podFixture';
import { until } from '../support/until';
import { ScriptedLog, startScriptLines } from './sessionLog';

const right = `SHA256:${'a'.repeat(43)}`;
const other = `SHA256:${'b'.repeat(43)}`;
const quick = { silenceMs: 40, firstLineMs: 80, longestMs: 2_000 };
const pod = aPod();
const printed = (log: ScriptedLog, timings = {}): PrintedKeys => new PrintedKeys(log.read, pod, silentLog, { ...quick, ...timings });

describe('fingerprints a pod has printed', () => {
  it('are read from the beginning of this start, with the lines of the platform', async () => {
    const log = new ScriptedLog();
    log.add(startScriptLines(other), { at: new Date(pod.startedAt!.getTime() - 60_000) });
    log.add(startScriptLines(right));
    assert.deepEqual(await printed(log).all(), [right]);
    assert.deepEqual(log.queries.map(({ since, source, tail }) => ({ since, source, tail })), [{ since: new Date(pod.startedAt!.getTime() - 120_000), source: undefined, tail: 5000 }]);
    await until(() => log.open === 0, 'the stream is left');
  });

  it('are not hidden by thousands of later lines', async () => {
    const log = new ScriptedLog();
    log.add(startScriptLines(right));
    log.add(Array.from({ length: 12_000 }, (_, i) => `step ${i} loss 0.${i}`));
    assert.deepEqual(await printed(log).expectedFor(right), [right]);
    assert.deepEqual(await printed(log).all(), [right]);
  });

  it('answer at once for a key that is among them, while the pod goes on talking', async () => {
    const log = new ScriptedLog();
    log.add(startScriptLines(right));
    const talk = setInterval(() => log.add(['still talking']), 5);
    const keys = printed(log, { longestMs: 60_000 });
    try {
      assert.deepEqual(await keys.expectedFor(right), [right]);
    } finally {
      keys.dispose();
      clearInterval(talk);
    }
    await until(() => log.open === 0, 'the stream is left');
  });

  it('make an unknown key wait for the end of the log, or of patience, when the pod never falls silent', async () => {
    const log = new ScriptedLog();
    log.add(startScriptLines(right));
    const talk = setInterval(() => log.add(['still talking']), 5);
    try {
      assert.deepEqual(await printed(log, { longestMs: 200 }).expectedFor(other), [right]);
    } finally {
      clearInterval(talk);
    }
    await until(() => log.open === 0, 'the stream is left');
  });

  it('are those of the last start when the container was restarted in place', async () => {
    const log = new ScriptedLog();
    log.add([...startScriptLines(right), 'Traceback']);
    log.add(['start container runpod/base:1.0.2-ubuntu2204: begin'], { source: 'system' });
    log.add(startScriptLines(other));
    assert.deepEqual(await printed(log).expectedFor(other), [other]);
  });

  it('are those of a container that was started again without a word, where the uptime that the API tells says so', async () => {
    const startedAt = new Date(Date.now() - 3_600_000);
    const log = new ScriptedLog();
    log.add(startScriptLines(right), { at: new Date(startedAt.getTime() + 2_000) });
    log.add(startScriptLines(other), { at: new Date(Date.now() - 100_000) });
    const told = (uptimeSeconds: number): PrintedKeys => new PrintedKeys(log.read, aPod({ startedAt, runtime: { uptimeSeconds, gpus: [], ports: [] } }), silentLog, quick);
    assert.deepEqual(await told(100).all(), [other]);
    assert.deepEqual(await told(3_600).all(), [right], 'words of a program, for the container is the first one');
    assert.deepEqual(await told(50).all(), [right], 'it has not printed its own yet');
  });

  it('are found though the API tells a start later than the container printed them', async () => {
    const log = new ScriptedLog();
    log.add(startScriptLines(right), { at: new Date(pod.startedAt!.getTime() - 20_000) });
    assert.deepEqual(await printed(log).all(), [right]);
  });

  it('are not replaced by what looks like them in the words of a program, with or without a stranger behind it', async () => {
    const log = new ScriptedLog();
    log.add([...startScriptLines(right), 'POST /generate', ...startScriptLines(other), 'start container runpod/base: begin', ...startScriptLines(other)]);
    assert.deepEqual(await printed(log).expectedFor(other), [right]);
  });

  it('are read on after a stream was cut in the middle, and after one that ended', async () => {
    for (const error of [new RunPodError('network', { method: 'GET', path: '/v2/pods/x/logs' }), undefined]) {
      const log = new ScriptedLog();
      log.add(startScriptLines(right));
      log.cutAfter = { lines: 3, ...(error ? { error } : {}) };
      assert.deepEqual(await printed(log).all(), [right]);
      assert.ok(log.queries.length >= 3);
      assert.ok(log.queries.slice(1).every((query) => query.lastEventId !== undefined));
    }
  });

  it('are none, with the reason, where the log may not be read', async () => {
    const log = new ScriptedLog();
    log.add(['a']);
    const refused = new RunPodError('forbidden', { method: 'GET', path: '/v2/pods/x/logs' });
    log.cutAfter = { lines: 0, error: refused };
    const keys = printed(log);
    assert.deepEqual(await keys.all(), []);
    assert.equal(keys.problem, refused);
    assert.equal(log.queries.length, 1);
  });

  it('are none where nothing is printed, after a short silence', async () => {
    const began = Date.now();
    assert.deepEqual(await printed(new ScriptedLog()).all(), []);
    assert.ok(Date.now() - began < 1_500);
  });

  it('stop being read when nobody wants them any more', async () => {
    const log = new ScriptedLog();
    const keys = printed(log, { firstLineMs: 60_000, longestMs: 60_000 });
    await until(() => log.open === 1, 'the stream is open');
    const waiting = keys.expectedFor(right);
    keys.dispose();
    assert.deepEqual(await waiting, []);
    await until(() => log.open === 0, 'the stream is left');
  });
});
