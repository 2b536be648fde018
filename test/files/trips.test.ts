import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { startPod, type TestPod } from './pod';

/** Well above what the server thinks about anything here, so that answers never overtake pipelined requests. */
const rttMs = 60;

describe('round trips of file operations', function () {
  this.timeout(60_000);
  let pod: TestPod;

  before(async () => {
    pod = await startPod();
    await writeFile(pod.at('warm'), 'warm');
    pod.link.shape({ rttMs });
    await pod.files.readFile(pod.at('warm'));
  });
  after(() => pod.stop());

  async function trips(work: () => Promise<unknown>): Promise<number> {
    // What the last operation did not wait for is still on its way.
    await new Promise((resolve) => setTimeout(resolve, 3 * rttMs));
    const before = pod.link.counts.flightsUp;
    await work();
    return pod.link.counts.flightsUp - before;
  }
  const atMost = async (limit: number, work: () => Promise<unknown>): Promise<void> => {
    const used = await trips(work);
    assert.ok(used <= limit, `${used} round trips, ${limit} allowed`);
  };

  it('opens a small file in two', async () => {
    await writeFile(pod.at('train.py'), 'x'.repeat(4096));
    await atMost(2, async () => assert.equal((await pod.files.readFile(pod.at('train.py'))).length, 4096));
    await atMost(2, () => Promise.all([pod.files.stat(pod.at('train.py')), pod.files.readFile(pod.at('train.py'))]));
  });

  it('opens a file of 200 KB in two', async () => {
    await writeFile(pod.at('log.csv'), 'x'.repeat(200_000));
    await atMost(2, async () => assert.equal((await pod.files.readFile(pod.at('log.csv'))).length, 200_000));
  });

  it('saves a small file in three, in four with the editor asking before and after', async () => {
    await writeFile(pod.at('save.py'), 'old');
    await pod.files.readFile(pod.at('save.py'));
    await atMost(3, () => pod.files.writeFile(pod.at('save.py'), Buffer.from('new'), { create: true, overwrite: true }));
    assert.equal(await readFile(pod.at('save.py'), 'utf8'), 'new');
    await atMost(4, async () => {
      await pod.files.stat(pod.at('save.py'));
      await pod.files.writeFile(pod.at('save.py'), Buffer.from('newer'), { create: true, overwrite: true });
      assert.equal((await pod.files.stat(pod.at('save.py'))).size, 5);
    });
  });

  it('lists 1,000 entries in five, and their stats cost nothing more', async () => {
    await mkdir(pod.at('many'));
    for (let i = 0; i < 1000; i++) await writeFile(pod.at(`many/${i}.txt`), String(i));
    await atMost(5, async () => assert.equal((await pod.files.list(pod.at('many'))).length, 1000));
    await pod.files.list(pod.at('many'));
    assert.equal(await trips(async () => assert.equal((await pod.files.stat(pod.at('many/77.txt'))).size, 2)), 0);
    await pod.files.list(pod.at('many'));
    const before = pod.link.counts.flightsUp;
    await Promise.all(Array.from({ length: 1000 }, (_, i) => pod.files.stat(pod.at(`many/${i}.txt`))));
    assert.equal(pod.link.counts.flightsUp - before, 0);
  });

  it('deletes a tree of 5,000 files in four', async () => {
    for (let d = 0; d < 50; d++) {
      await mkdir(pod.at(`tree/${d}`), { recursive: true });
      for (let i = 0; i < 100; i++) await writeFile(pod.at(`tree/${d}/${i}`), '');
    }
    await atMost(4, () => pod.files.delete(pod.at('tree'), { recursive: true }));
    await assert.rejects(readFile(pod.at('tree/1/1')));
  });

  it('deletes a file in one, and renames in one', async () => {
    await writeFile(pod.at('a'), 'a');
    await writeFile(pod.at('b'), 'b');
    await atMost(1, () => pod.files.rename(pod.at('a'), pod.at('c'), { overwrite: false }));
    await atMost(1, () => pod.files.rename(pod.at('c'), pod.at('b'), { overwrite: true }));
    await atMost(1, () => pod.files.delete(pod.at('b'), { recursive: true }));
  });

  it('copies in four, without a byte of it over the link', async () => {
    await writeFile(pod.at('weights.bin'), Buffer.alloc(5_000_000, 7));
    const { bytesUp, bytesDown } = pod.link.counts;
    await atMost(4, () => pod.files.copy(pod.at('weights.bin'), pod.at('copy.bin'), { overwrite: false }));
    assert.ok((await readFile(pod.at('copy.bin'))).equals(Buffer.alloc(5_000_000, 7)));
    assert.ok(pod.link.counts.bytesUp - bytesUp + pod.link.counts.bytesDown - bytesDown < 20_000);
  });
});
