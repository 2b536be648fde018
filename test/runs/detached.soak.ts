import assert from 'node:assert/strict';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { sleep } from '../../src/base/time';
import { listRuns } from '../../src/runs/detached/list';
import { RunRig, sha256 } from './detachedRig';

/** A run of ten minutes that loses its connection twenty times, five times as fast. */
const LONG = { minutes: 10, cuts: 20, scale: 5 } as const;
const LONG_MS = (LONG.minutes * 60_000) / LONG.scale;

describe('runs under load', function () {
  this.timeout(300_000);
  let rig: RunRig;
  beforeEach(async () => {
    rig = new RunRig();
    await rig.beginPod();
  });
  afterEach(() => rig.end());

  it(`a run of ${LONG.minutes} minutes at ${LONG.scale} times the speed, its connection cut ${LONG.cuts} times, loses no byte and tells its exit code`, async () => {
    const run = await rig.start(`python3 -u -c 'import sys, time
end = time.time() + ${LONG_MS / 1000}
n = 0
while time.time() < end:
    print("\\033[32mstep\\033[0m", n, "ÄÖ東🚀" * (n % 50), end="\\r" if n % 7 else "\\n")
    n += 1
    time.sleep(0.002)
sys.exit(23)'`);
    const seen = rig.watch(run);
    const began = Date.now();
    for (let cuts = 0; cuts < LONG.cuts; cuts++) {
      // Over the whole run, and at any moment of what a connection goes through.
      await sleep(began + ((cuts + Math.random()) * LONG_MS) / (LONG.cuts + 1) - Date.now());
      rig.link.cut();
    }
    assert.equal(existsSync(rig.file(run, 'exit')), false, 'all cuts met the run');
    assert.deepEqual(await seen.end, { kind: 'exited', code: 23 });
    assert.equal(seen.digest(), sha256(readFileSync(rig.file(run))));
    assert.ok(seen.bytes > 500_000, `${seen.bytes} bytes`);
  });

  it('fifty runs at once, each with its own output and exit code, under cuts', async () => {
    const runs = await Promise.all(Array.from({ length: 50 }, (_, i) => rig.start(`for i in $(seq 1 40); do echo "run ${i} line $i"; sleep 0.1; done; exit ${i}`)));
    const watched = runs.map((run) => rig.watch(run));
    for (let cuts = 0; cuts < 3; cuts++) {
      await sleep(1_000);
      rig.link.cut();
    }
    assert.deepEqual(await Promise.all(watched.map(({ end }) => end)), runs.map((_, code) => ({ kind: 'exited', code })));
    for (const [i, seen] of watched.entries()) assert.equal(seen.tail, Array.from({ length: 40 }, (_, line) => `run ${i} line ${line + 1}\r\n`).join(''));
    const listed = await listRuns(rig.session);
    assert.equal(listed.filter(({ state }) => state === 'exited').length, 50);
  });

  it('a gigabyte of output does not grow this process by more than 100 MB', async () => {
    const run = await rig.start(`head -c 750000000 /dev/zero | base64 -w 120; echo the end; exit 5`, ['none']);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50);
    const seen = rig.watch(run);
    try {
      await sleep(5_000);
      rig.link.cut();
      assert.deepEqual(await seen.end, { kind: 'exited', code: 5 });
    } finally {
      clearInterval(watch);
    }
    assert.ok(seen.bytes > 1_000_000_000, `${seen.bytes} bytes`);
    assert.ok(seen.tail.endsWith('the end\n'));
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(rig.file(run))) hash.update(chunk as Buffer);
    assert.equal(seen.digest(), hash.digest('hex'));
    assert.ok(most - before < 100 * 1024 * 1024, `${Math.round((most - before) / 1e6)} MB more`);
  });
});
