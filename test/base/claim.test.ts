import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { Claim } from '../../src/base/claim';

describe('what one window does for all', () => {
  let folder: string;
  let file: string;
  const claims: Claim[] = [];
  const claim = (timings: { staleMs?: number } = {}): Claim => {
    const made = new Claim(file, { settleMs: 20, ...timings });
    claims.push(made);
    return made;
  };
  const age = async (ms: number): Promise<void> => fs.utimes(file, new Date(Date.now() - ms), new Date(Date.now() - ms));

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), 'runpod-test-'));
    file = join(folder, 'deep', 'watch.claim');
  });
  afterEach(async () => {
    for (const one of claims.splice(0)) one.dispose();
    await fs.rm(folder, { recursive: true });
  });

  it('is held by one, until that one lets go', async () => {
    const [a, b] = [claim(), claim()];
    assert.equal(await a.take(), true);
    assert.equal(await a.take(), true, 'again');
    assert.equal(await b.take(), false);
    a.dispose();
    assert.equal(await b.take(), true);
    assert.deepEqual([await a.held(), await b.held()], [false, true]);
    a.dispose();
    assert.equal(await b.held(), true, 'nobody lets go of what is another one’s');
  });

  it('has one winner of many at once', async () => {
    const all = Array.from({ length: 20 }, () => claim());
    const won = await Promise.all(all.map((one) => one.take()));
    assert.equal(won.filter(Boolean).length, 1);
  });

  it('is free when its holder has not been heard of, and the old holder knows', async () => {
    const [a, b] = [claim({ staleMs: 60_000 }), claim({ staleMs: 60_000 })];
    await a.take();
    await age(50_000);
    assert.equal(await b.take(), false);
    await age(70_000);
    assert.equal(await b.take(), true);
    assert.equal(await a.held(), false, 'asleep meanwhile: it asks before it acts');
  });

  it('is not held for longer because a clock was set back', async () => {
    await claim().take();
    await age(-3_600_000);
    assert.equal(await claim().take(), true);
  });

  it('is free at once when its holder has died', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    await fs.mkdir(join(folder, 'deep'));
    await fs.writeFile(file, `${gone} ${hostname()} x`);
    assert.equal(await claim().take(), true);
    claims[0]?.dispose();
    await fs.writeFile(file, `${gone} another-machine x`);
    assert.equal(await claim().take(), false, 'of a process elsewhere nothing is known');
  });

  it('is renewed while it is held', async () => {
    const a = claim({ staleMs: 150 });
    await a.take();
    await age(100);
    for (const end = Date.now() + 5_000; Date.now() - (await fs.stat(file)).mtimeMs > 90; ) {
      assert.ok(Date.now() < end);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});
