import assert from 'node:assert/strict';
import fc from 'fast-check';
import { basename, decodeName, dirname, encodeName, isWithin, join, normalise } from '../../src/files/names';

describe('file names', () => {
  it('maps any bytes to text and back to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const name = bytes.map((b) => (b === 0 ? 1 : b));
        assert.deepEqual(Buffer.from(encodeName(decodeName(name))), Buffer.from(name));
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves UTF-8 as it is', () => {
    for (const name of ['train.py', 'naïve café', '日本語', '🦙', 'a\nb', "it's", 'back\\slash', '\ufeffbom', 'e\u0301'])
      assert.equal(decodeName(Buffer.from(name)), name);
  });

  it('gives a name that holds one of its own escapes back unharmed', () => {
    for (const bytes of [Buffer.from('x\uef80y'), Buffer.from('\uefff'), Buffer.concat([Buffer.from('\uef90'), Buffer.from([0x90])])]) assert.deepEqual(encodeName(decodeName(bytes)), bytes);
  });

  it('never makes text that a URI cannot carry', () => {
    for (let b = 1; b < 256; b++) assert.equal(decodeURIComponent(encodeURIComponent(decodeName(Buffer.from([b])))), decodeName(Buffer.from([b])));
  });

  it('refuses what no file name can hold', () => {
    assert.throws(() => encodeName('a\0b'), RangeError);
    assert.throws(() => encodeName('a\ud800b'), RangeError);
    assert.throws(() => encodeName('\udc00'), RangeError);
    assert.deepEqual(encodeName('🦙'), Buffer.from('🦙'));
  });

  it('does the path arithmetic of a POSIX system on any client', () => {
    assert.equal(normalise('/workspace//a/./b/../c/'), '/workspace/a/c');
    assert.equal(normalise('/..'), '/');
    assert.equal(normalise('/a\\b'), '/a\\b');
    assert.throws(() => normalise('a'), RangeError);
    assert.equal(join('/', 'a'), '/a');
    assert.equal(dirname('/a'), '/');
    assert.equal(dirname('/a/b'), '/a');
    assert.equal(basename('/a/b'), 'b');
    assert.ok(isWithin('/a/b', '/a'));
    assert.ok(isWithin('/a', '/'));
    assert.ok(!isWithin('/ab', '/a'));
  });
});
