import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PacketCutter, Reply } from '../../src/files/wire';

const framed = (body: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
};
const dataReply = (id: number, content: Buffer): Buffer => {
  const head = Buffer.alloc(9);
  head[0] = Reply.Data;
  head.writeUInt32BE(id, 1);
  head.writeUInt32BE(content.length, 5);
  return Buffer.concat([head, content]);
};
const anyContent = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 16_000, max: 40_000 })).map((size) => Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + size) & 255)));

describe('cutting a stream into packets', () => {
  it('gives each as it was sent, in its place or in one piece, whatever chunks the stream comes in, and needs no chunk that it says was copied', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ content: anyContent, wanted: fc.boolean() }), { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 20 }), (packets, cuts) => {
        const places = packets.map(({ content, wanted }) => (wanted ? Buffer.alloc(content.length + 5) : undefined));
        const got: Buffer[] = [];
        const isPlaced = new Set<number>();
        const cutter = new PacketCutter(
          1 << 20,
          (packet) => {
            const id = packet.readUInt32BE(1);
            got.push(isPlaced.has(id) ? dataReply(id, (places[id] ?? Buffer.alloc(0)).subarray(0, packet.readUInt32BE(5))) : packet);
          },
          (head, bytes) => {
            const id = head.readUInt32BE(1);
            assert.equal(bytes, head.readUInt32BE(5));
            if (places[id] !== undefined) isPlaced.add(id);
            return places[id];
          },
        );
        const stream = Buffer.concat(packets.map(({ content }, id) => framed(dataReply(id, content))));
        for (let at = 0, i = 0; at < stream.length; i++) {
          const cut = cuts[i % cuts.length] ?? 1;
          const chunk = Buffer.from(stream.subarray(at, at + cut));
          if (cutter.push(chunk)) chunk.fill('gone');
          at += cut;
        }
        assert.deepEqual(got, packets.map(({ content }, id) => dataReply(id, content)));
      }),
      { numRuns: 200 },
    );
  });
});
