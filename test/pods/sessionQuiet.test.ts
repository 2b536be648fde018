import assert from 'node:assert/strict';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { ParsedKey } from 'ssh2';
import { RunBook } from '../../src/editor/podRuns/book';
import { silentLog } from '../../src/base/log';
import { PodStore } from '../../src/pods/store';
import { keyFileIdentity } from '../../src/ssh/keyFile';
import { KeyUnlocker } from '../../src/ssh/keys';
import { loadSsh2 } from '../../src/ssh/loadSsh2';
import { makeKeyPair, type KeyPair } from '../support/sshd';
import { Rig } from './sessionRig';

const podId = 'llamaft01';

describe('a pod session that nobody has asked for', () => {
  let rig: Rig;
  let locked: KeyPair;
  let asked: number;
  /** What the person answers when asked for the passphrase. */
  let answer: () => Promise<string | undefined>;

  beforeEach(async () => {
    rig = new Rig();
    await rig.begin();
    asked = 0;
    answer = async () => 'open sesame';
    locked = await makeKeyPair(path.join(rig.keyDir, 'locked'), { passphrase: 'open sesame' });
    const ssh2 = await loadSsh2();
    const unlocker = new KeyUnlocker<ParsedKey>(() => (asked++, answer()));
    rig.identities = async (mayAsk) => [await keyFileIdentity(locked.path, 'home', { ssh2, unlocker: unlocker.asking(mayAsk) })];
    const sshd = await rig.sshd({ authorizedKeys: [locked.publicKey] });
    rig.runsAt(sshd, { printed: sshd.hostKeyFingerprint });
  });
  afterEach(() => rig.end());

  it('asks for no passphrase, and leaves no trace for those who do ask', async () => {
    const session = rig.sessions({ coolDownMs: 60_000 }).get(podId);
    await assert.rejects(session.link(undefined, { quiet: true }), { code: 'auth' });
    assert.equal(asked, 0);
    assert.deepEqual([session.state, session.reason], ['idle', undefined]);
    await session.link();
    assert.equal(asked, 1);
    session.end();
    // Opened once, the key asks nobody any more.
    await session.link(undefined, { quiet: true });
    assert.equal(asked, 1);
  });

  it('becomes somebody’s who joins the attempt', async () => {
    const session = rig.sessions().get(podId);
    const [quiet, loud] = await Promise.all([session.link(undefined, { quiet: true }), session.link()]);
    assert.equal(quiet, loud);
    assert.equal(asked, 1);
  });

  it('asks nobody because a row was opened; its runs show once somebody has connected', async () => {
    const sessions = rig.sessions();
    const store = new PodStore(async () => ({ listPods: async () => [{ kind: 'pod', pod: rig.pod }], readAccount: async () => undefined }), silentLog);
    await store.refresh();
    const book = new RunBook(sessions, store, silentLog);
    try {
      const seen: unknown[] = [];
      const told = (wanted: unknown): Promise<void> =>
        new Promise((resolve) => {
          const listener = book.onDidChange(() => {
            seen.push(book.firstLook(podId));
            if (book.firstLook(podId) !== wanted) return;
            listener.dispose();
            resolve();
          });
        });
      const unseen = told('unseen');
      book.watch(podId);
      await unseen;
      assert.deepEqual(seen, ['looking', 'unseen']);
      assert.equal(asked, 0);
      const known = told(undefined);
      await sessions.get(podId).link();
      await known;
      assert.deepEqual(book.of(podId), []);
      assert.equal(asked, 1);
    } finally {
      book.dispose();
      store.dispose();
    }
  });
});
