import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../../src/base/log';
import { Ticker } from '../../../src/editor/ticker';
import { SpendMeter } from '../../../src/pods/meter';
import { PodStore } from '../../../src/pods/store';
import type { PodRow } from '../../../src/runpod/types';
import { aPod } from '../../pods/fixtures';
import { command } from './account';

describe('what pods cost, by command', () => {
  it('is written to a file with the bills of every pod', async () => {
    const file = join(tmpdir(), `runpod-costs-${process.pid}.csv`);
    try {
      const { rows } = await command<{ rows: number }>('runpod.showCosts', undefined, { exportTo: file });
      const lines = readFileSync(file, 'utf8').trim().split('\r\n');
      assert.equal(lines.length, rows + 1);
      assert.ok(lines.some((line) => /^\d{4}-\d\d-\d\d,gfj8b292vyg08g,llama-ft,\d+\.\d{6},/.test(line)), lines.slice(0, 3).join('\n'));
    } finally {
      rmSync(file, { force: true });
    }
  });

  it('takes a balance or budget, and forgets it', async () => {
    const typed = await command<{ usd: number; kind: string; at: number }>('runpod.setBalance', '$12,50', { kind: 'budget' });
    assert.deepEqual([typed.usd, typed.kind], [12.5, 'budget']);
    assert.equal(await command('runpod.setBalance', undefined, { forget: true }), undefined);
    await assert.rejects(Promise.resolve(command('runpod.setBalance', 'a lot')), /amount in dollars/);
  });

  it('says how large a pod’s folder is', async () => {
    const { path, bytes } = await command<{ path: string; bytes: number }>('runpod.copyWorkspace', 'llama-ft', { sizeOnly: true });
    assert.equal(path, '/workspace');
    assert.ok(bytes > 1000, `${bytes} bytes`);
  });
});

describe('the ticker', () => {
  it('costs under a millisecond a tick, of a thousand pods (a failure is five times that)', async () => {
    const rows: PodRow[] = Array.from({ length: 1000 }, (_, i) => ({ kind: 'pod', pod: aPod({ id: `pod${i}`, name: `pod-${i}`, startedAt: new Date() }) }));
    const store = new PodStore(async () => ({ listPods: async () => rows, readAccount: async () => ({ balance: 5000, spendPerHour: 700 }) }), silentLog);
    const meter = new SpendMeter();
    let now = Date.now();
    const ticker = new Ticker(store, meter, () => now);
    try {
      await store.refresh();
      meter.update(store.state.pods, Date.now());
      const times = Array.from({ length: 50 }, () => {
        // Each a minute later, so that text and tooltip are written anew; most ticks find nothing to write.
        now += 60_000;
        const begin = performance.now();
        ticker.tick();
        return performance.now() - begin;
      }).sort((a, b) => a - b);
      // What else the machine does only adds to it, so one of the quicker ones counts.
      assert.ok((times[10] ?? Infinity) < 5, `${times[10]} ms`);
    } finally {
      ticker.dispose();
      store.dispose();
    }
  });
});
