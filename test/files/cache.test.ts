import assert from 'node:assert/strict';
import { AttributeCache } from '../../src/files/cache';
import type { FileStat } from '../../src/files/kinds';

const file: FileStat = { kind: 'file', link: false, size: 1, mtimeMs: 0, mode: 0o100644, uid: 0, gid: 0, readonly: false };
const folder: FileStat = { ...file, kind: 'directory' };

describe('what a listing has told', () => {
  let now = 0;
  let cache: AttributeCache;
  beforeEach(() => {
    now = 0;
    cache = new AttributeCache(2000, () => now);
  });
  const keep = (path: string, stat = file): void => cache.keep(cache.ticket(), path, stat);

  it('is believed for a moment', () => {
    keep('/w/f');
    assert.equal(cache.get('/w/f'), file);
    now = 2001;
    assert.equal(cache.get('/w/f'), undefined);
  });

  it('is never believed of a file that is open, and may be saved', () => {
    cache.use('/w/f');
    keep('/w/f');
    keep('/w', folder);
    assert.equal(cache.get('/w/f'), undefined);
    assert.equal(cache.get('/w'), folder);
  });

  it('ends with a change of the path, of its folder or of what lies in it', () => {
    for (const path of ['/w', '/w/d', '/w/d/f', '/w/d/f/g', '/w/e']) keep(path);
    cache.forget('/w/d/f');
    assert.deepEqual(['/w', '/w/d', '/w/d/f', '/w/d/f/g', '/w/e'].map((path) => cache.get(path) !== undefined), [true, false, false, false, true]);
  });

  it('is not kept when a change has overtaken it', () => {
    const ticket = cache.ticket();
    cache.forget('/w/f');
    cache.keep(ticket, '/w/f', file);
    assert.equal(cache.get('/w/f'), undefined);
  });

  it('a save answers one question about what it left, and soon none', () => {
    cache.use('/w/f');
    cache.keepOnce('/w/f', file);
    assert.equal(cache.get('/w/f'), file);
    assert.equal(cache.get('/w/f'), undefined);
    cache.keepOnce('/w/f', file);
    now = 1001;
    assert.equal(cache.get('/w/f'), undefined);
  });

  it('can be switched off', () => {
    const none = new AttributeCache(0, () => now);
    none.keep(none.ticket(), '/f', file);
    none.keepOnce('/f', file);
    assert.equal(none.get('/f'), undefined);
  });
});
