import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../../src/base/time';
import { hostKeyOf, type HostKey } from '../../src/ssh/hostKeys';
import { pinFile } from '../../src/ssh/pinFile';
import { PinStore, type PinStorage, type PinSubject } from '../../src/ssh/pins';
import { Scratch } from './support';

const key = (name: string): HostKey => hostKeyOf(Buffer.from(`\0\0\0\x0bssh-ed25519${name}`, 'latin1'));
const pod = (startedAt?: string, podId = 'abc123'): PinSubject => ({ podId, startedAt });

/** What windows share when nobody gives them a lock; slow enough that their reads and writes interleave. */
function sharedText(delayMs = 0): PinStorage & { text: string | undefined; writes: number } {
  const shared = {
    text: undefined as string | undefined,
    writes: 0,
    async read() {
      await sleep(Math.random() * delayMs);
      return shared.text;
    },
    async write(text: string) {
      await sleep(Math.random() * delayMs);
      shared.writes++;
      shared.text = text;
    },
  };
  return shared;
}

describe('pinned host keys', () => {
  const [monday, tuesday] = ['2026-11-16T08:00:00Z', '2026-11-17T08:00:00Z'];
  const verdict = async (store: PinStore, subject: PinSubject, which: HostKey, logged?: string[]): Promise<string> => (await store.judge(subject, which, logged)).verdict;

  it('are new once, then known for that start of the pod, in every window', async () => {
    const shared = sharedText();
    const store = new PinStore(shared);
    assert.deepEqual(await store.judge(pod(monday), key('a')), { verdict: 'first-use', expected: [] });
    assert.equal(shared.writes, 0, 'judging writes nothing');
    assert.equal(await store.pin(pod(monday), key('a')), true);
    for (const window of [store, new PinStore(shared)]) {
      assert.equal(await verdict(window, pod(monday), key('a')), 'pinned');
      assert.deepEqual(await window.judge(pod(monday), key('b')), { verdict: 'mismatch', expected: [key('a').fingerprint] });
      assert.equal(await verdict(window, pod(monday, 'other'), key('b')), 'first-use');
    }
  });

  it('of another start count for nothing, those of a later start do', async () => {
    const store = new PinStore(sharedText());
    await store.pin(pod(monday), key('a'));
    assert.equal(await verdict(store, pod(tuesday), key('b')), 'first-use');
    assert.equal(await store.pin(pod(tuesday), key('b')), true);
    assert.equal(await verdict(store, pod(tuesday), key('a')), 'mismatch', 'the old address, perhaps somebody else by now');
    assert.equal(await verdict(store, pod(monday), key('b')), 'pinned', 'asked with older news');
    assert.equal(await verdict(store, pod(undefined), key('b')), 'pinned');
    assert.equal(await verdict(store, pod(undefined), key('a')), 'mismatch');
  });

  it('made without knowing the start hold until the pod starts again', async () => {
    const store = new PinStore(sharedText(), undefined, () => new Date('2026-11-16T12:00:00Z'));
    await store.pin(pod(undefined), key('a'));
    assert.equal(await verdict(store, pod(monday), key('b')), 'mismatch');
    assert.equal(await verdict(store, pod(tuesday), key('b')), 'first-use');
  });

  it('yield to the fingerprints in the pod’s log', async () => {
    const store = new PinStore(sharedText());
    await store.pin(pod(monday), key('wrong'));
    const logged = [key('a').fingerprint, key('rsa').fingerprint];
    assert.deepEqual(await store.judge(pod(monday), key('wrong'), logged), { verdict: 'mismatch', expected: logged });
    assert.equal(await verdict(store, pod(monday), key('a'), logged), 'proven');
    assert.equal(await store.pin(pod(monday), key('a'), 'proven'), true);
    assert.equal(await verdict(store, pod(monday), key('a')), 'pinned', 'also when the log has scrolled away');
    assert.equal(await store.pin(pod(monday), key('wrong')), false);
    assert.equal(await verdict(store, pod(monday), key('a')), 'pinned');
  });

  it('yield to a person’s word, for that start and that key alone, in every window, and log or not', async () => {
    const shared = sharedText();
    const [store, other] = [new PinStore(shared), new PinStore(shared)];
    await store.pin(pod(monday), key('a'), 'proven');
    await store.approve(pod(monday), key('b').fingerprint);
    for (const window of [store, other]) {
      assert.equal(await verdict(window, pod(monday), key('b'), [key('a').fingerprint]), 'pinned');
      assert.equal(await verdict(window, pod(monday), key('b')), 'pinned');
      assert.equal(await verdict(window, pod(monday), key('c')), 'mismatch');
      assert.equal(await verdict(window, pod(monday), key('a'), [key('a').fingerprint]), 'proven', 'what the log proves stays right');
      assert.equal(await verdict(window, pod(tuesday), key('b'), [key('a').fingerprint]), 'mismatch', 'another start');
    }
    assert.equal(await other.pin(pod(monday), key('b'), 'pinned'), true);
    assert.equal(await verdict(store, pod(monday), key('b'), [key('a').fingerprint]), 'pinned', 'a login with it does not take that word away');
    await store.approve({ host: 'ssh.runpod.io' }, key('n').fingerprint);
    assert.equal(await verdict(other, { host: 'ssh.runpod.io' }, key('n')), 'pinned');
  });

  it('of the proxy belong to its name, until somebody forgets them', async () => {
    const store = new PinStore(sharedText());
    const proxy = { host: 'ssh.runpod.io' };
    await store.pin(proxy, key('p'));
    assert.equal(await verdict(store, proxy, key('p')), 'pinned');
    assert.equal(await verdict(store, proxy, key('q')), 'mismatch');
    assert.equal(await store.pin(proxy, key('q')), false);
    await store.forget(proxy);
    assert.equal(await verdict(store, proxy, key('q')), 'first-use');
  });

  it('are started anew when the file is damaged', async () => {
    const shared = sharedText();
    for (const text of ['', '{', '[]', '{"version":9,"pods":{},"hosts":{}}', '{"version":1,"pods":{"abc123":5},"hosts":{}}']) {
      shared.text = text;
      const store = new PinStore(shared);
      assert.equal(await verdict(store, pod(monday), key('a')), 'first-use', text);
      await store.pin(pod(monday), key('a'));
      assert.equal(await verdict(new PinStore(shared), pod(monday), key('a')), 'pinned', text);
    }
  });

  it('hold for this window when they cannot be written', async () => {
    const store = new PinStore({ read: async () => undefined, write: () => Promise.reject(new Error('disk full')) });
    await assert.rejects(store.pin(pod(monday), key('a')), /disk full/);
    assert.equal(await verdict(store, pod(monday), key('b')), 'mismatch');
  });

  it('are not lost when windows write at the same time without a lock', async () => {
    const shared = sharedText(4);
    const windows = [new PinStore(shared), new PinStore(shared)];
    await Promise.all(windows.flatMap((window, w) => Array.from({ length: 4 }, (_, i) => window.pin(pod(monday, `pod-${w}-${i}`), key(`${w}${i}`)))));
    const fresh = new PinStore(shared);
    for (const w of [0, 1]) for (const i of [0, 1, 2, 3]) assert.equal(await verdict(fresh, pod(monday, `pod-${w}-${i}`), key(`${w}${i}`)), 'pinned');
  });

  it('let the first window win when two see different servers at the same time', async () => {
    const shared = sharedText(2);
    const [one, two] = [new PinStore(shared), new PinStore(shared)];
    await one.pin(pod(monday), key('a'));
    assert.equal(await two.pin(pod(monday), key('b')), false);
    assert.equal(await verdict(two, pod(monday), key('a')), 'pinned');
  });
});

describe('the file of pinned host keys', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it('keeps every pin of processes that write at the same time, and leaves nothing else behind', async () => {
    const dir = path.join(await scratch.dir(), 'state');
    const file = path.join(dir, 'host-keys.json');
    const script = path.join(import.meta.dirname, 'pinMany.ts');
    const many = (name: string): Promise<unknown> => promisify(execFile)(process.execPath, ['--import', 'tsx', script, file, name, '15']);
    await Promise.all(['one', 'two', 'three'].map(many));
    const store = new PinStore(pinFile(file));
    for (const name of ['one', 'two', 'three'])
      for (let i = 0; i < 15; i++) assert.equal((await store.judge({ podId: `${name}-${i}`, startedAt: '2026-11-16T08:00:00Z' }, key(`${name}${i}`))).verdict, 'pinned');
    assert.deepEqual(await readdir(dir), ['host-keys.json']);
  });

  it('is not locked for ever by a window that died', async () => {
    const file = path.join(await scratch.dir(), 'host-keys.json');
    await writeFile(`${file}.lock`, '');
    // Clocks differ, and are set: what the file says of its time is no proof.
    const toCome = new Date(Date.now() + 3_600_000);
    await utimes(`${file}.lock`, toCome, toCome);
    await new PinStore(pinFile(file, { staleMs: 200 })).pin({ host: 'ssh.runpod.io' }, key('p'));
    assert.match(await readFile(file, 'utf8'), /ssh\.runpod\.io/);
  });
});
