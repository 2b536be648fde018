import assert from 'node:assert/strict';
import { keepBusy } from '../../src/files/keepBusy';

/** Requests that wait until they are answered. */
class Requests {
  readonly waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  sent = 0;
  constructor(readonly count: number) {}
  readonly next = (): Promise<void> | undefined => {
    if (this.sent === this.count) return undefined;
    this.sent++;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  };
  async answer(): Promise<void> {
    this.waiting.shift()?.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('keeping requests under way', () => {
  it('begins with few and adds one with each prompt answer, up to a limit', async () => {
    const requests = new Requests(1000);
    const done = keepBusy(20, requests.next);
    assert.equal(requests.waiting.length, 8);
    for (let answers = 1; answers <= 30; answers++) {
      await requests.answer();
      assert.equal(requests.waiting.length, Math.min(20, 8 + answers));
    }
    while (requests.waiting.length > 0) await requests.answer();
    await done;
    assert.equal(requests.sent, 1000);
  });

  it('sends as many as it is told to before it returns', async () => {
    const requests = new Requests(12);
    const done = keepBusy(16, requests.next, 16);
    assert.equal(requests.sent, 12);
    while (requests.waiting.length > 0) await requests.answer();
    await done;
  });

  it('sends nothing more after a failure, and settles when all that was under way has', async () => {
    const requests = new Requests(100);
    let settled = false;
    const done = keepBusy(20, requests.next).finally(() => (settled = true));
    done.catch(() => undefined);
    requests.waiting.shift()?.reject(new Error('refused'));
    await requests.answer();
    assert.equal(requests.sent, 8);
    while (requests.waiting.length > 1) await requests.answer();
    assert.equal(settled, false);
    await requests.answer();
    await assert.rejects(done, /refused/);
  });

  it('has nothing to do where there is nothing', () => keepBusy(4, () => undefined));
});
