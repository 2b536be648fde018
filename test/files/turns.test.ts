import assert from 'node:assert/strict';
import { isCancelled } from '../../src/base/errors';
import { PathLocks, Turns } from '../../src/files/turns';

/** Work that ends when told to. */
function gate(): { readonly done: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const done = new Promise<void>((resolve) => (open = resolve));
  return { done, open: () => open() };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('let so many run at once, and serve the newest and the oldest by turns', async () => {
    const turns = new Turns(1);
    const order: number[] = [];
    const first = gate();
    const all = [turns.run(() => first.done), ...Array.from({ length: 6 }, (_, i) => turns.run(async () => void order.push(i)))];
    await settled();
    assert.deepEqual(order, []);
    first.open();
    await Promise.all(all);
    assert.deepEqual(order, [5, 0, 4, 1, 3, 2]);
  });

  it('go on after work that failed', async () => {
    const turns = new Turns(1);
    await assert.rejects(turns.run(() => Promise.reject(new Error('no'))));
    assert.equal(await turns.run(async () => 1), 1);
  });

  it('are given up by who cancels while waiting', async () => {
    const turns = new Turns(1);
    const first = gate();
    const running = turns.run(() => first.done);
    const cancel = new AbortController();
    const waiting = assert.rejects(turns.run(() => Promise.reject(new Error('never run')), cancel.signal), isCancelled);
    cancel.abort();
    await waiting;
    first.open();
    await running;
    assert.equal(await turns.run(async () => 2), 2);
  });
});

describe('path locks', () => {
  it('keep changes of one path, and of a folder and what lies in it, one after the other', async () => {
    const locks = new PathLocks();
    const log: string[] = [];
    const gates = new Map(['/w/a', '/w', '/w/b', '/x'].map((path) => [path, gate()] as const));
    const running = [...gates].map(([path, { done }]) =>
      locks.run([path], async () => {
        log.push(path);
        await done;
      }),
    );
    await settled();
    assert.deepEqual(log, ['/w/a', '/x']);
    gates.get('/w/a')?.open();
    await settled();
    assert.deepEqual(log, ['/w/a', '/x', '/w']);
    gates.get('/w')?.open();
    await settled();
    assert.deepEqual(log, ['/w/a', '/x', '/w', '/w/b']);
    for (const held of gates.values()) held.open();
    await Promise.all(running);
  });

  it('let go when the work fails, and never lock each other out', async () => {
    const locks = new PathLocks();
    const work = (paths: string[]): Promise<unknown> => locks.run(paths, () => Promise.reject(new Error('no'))).catch(() => undefined);
    await Promise.all([work(['/a', '/b']), work(['/b', '/a']), work(['/a']), work(['/b/c', '/a/d'])]);
  });
});
