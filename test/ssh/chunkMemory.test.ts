import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { markAsUntransferable } from 'node:worker_threads';
import { freeChunk, freeWhenSent } from '../../src/ssh/chunkMemory';

describe('the memory of a channel’s data', () => {
  /** So many bytes of data with so many before and behind them in their memory, after it was freed. */
  const left = (before: number, bytes: number, behind: number): number => {
    const chunk = Buffer.from(new ArrayBuffer(before + bytes + behind), before, bytes);
    freeChunk(chunk);
    return chunk.length;
  };

  it('is freed where the packet was decrypted into memory of its own', () => {
    for (const padding of [4, 6, 15]) assert.equal(left(10, 32_768, padding), 0);
  });

  it('is left alone where it may be shared: decrypted in place, from a pool, or taken from more', () => {
    const inPlace = [14, 32_768, 22] as const;
    // The packet's length came with the chunk before, and of all authentications this is the shortest.
    const lengthBefore = [10, 32_768, 16] as const;
    const amidMore = [10, 32_768, 100_000] as const;
    for (const [before, bytes, behind] of [inPlace, lengthBefore, amidMore, [0, 32_768, 0]] as const) assert.equal(left(before, bytes, behind), bytes);
    const pooled = Buffer.from('short');
    freeChunk(pooled);
    assert.equal(pooled.toString(), 'short');
    assert.equal(left(10, 100, 6), 100);
  });

  it('is left alone where it cannot be had: threads share it, or its host keeps it', () => {
    const kept = new ArrayBuffer(32_784);
    markAsUntransferable(kept);
    for (const memory of [new SharedArrayBuffer(32_784), kept]) {
      const chunk = Buffer.from(memory, 10, 32_768);
      freeChunk(chunk);
      assert.equal(chunk.length, 32_768);
    }
  });
});

describe('the memory of what is sent', () => {
  /** What is left of `part` once it was handed over. */
  async function left(part: Buffer): Promise<number> {
    const taken: Buffer[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        taken.push(Buffer.from(chunk));
        done();
      },
    });
    freeWhenSent(sink);
    const bytes = Buffer.from(part);
    sink.write(part);
    await new Promise<void>((resolve) => sink.end(resolve));
    assert.ok(Buffer.concat(taken).equals(bytes));
    return part.length;
  }

  it('is freed when an encrypted packet has left, and a plain one when its length has', async () => {
    assert.equal(await left(Buffer.from(new ArrayBuffer(32_800))), 0);
    const plain = Buffer.from(new ArrayBuffer(32_800));
    plain.writeUInt32BE(32_796);
    assert.equal(await left(plain.subarray(0, 4)), 0);
    assert.equal(plain.length, 0);
  });

  it('is left alone where something else may lie in it', async () => {
    const pooled = Buffer.from('a word');
    const amidMore = Buffer.alloc(100_000);
    for (const part of [pooled, amidMore.subarray(0, 32_800), amidMore.subarray(4), amidMore.subarray(0, 4), Buffer.alloc(1_000)]) assert.equal(await left(part), part.length);
    assert.equal(pooled.toString(), 'a word');
    assert.equal(amidMore.length, 100_000);
  });
});
