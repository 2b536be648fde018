import assert from 'node:assert/strict';
import * as path from 'node:path';
import { sleep } from '../../src/base/time';
import type { Identity } from '../../src/ssh/identity';
import { SshLink, type LinkOptions } from '../../src/ssh/pool';
import { openRelay } from '../simulator/link';
import { makeKeyPair, startSshd, type KeyPair, type Sshd, type SshdOptions } from '../support/sshd';
import { until } from '../support/until';
import { identityOf, loginOptions, Scratch, withCode } from './support';

describe('a link of several connections', () => {
  const scratch = new Scratch();
  let key: KeyPair;
  let mine: Identity;

  beforeEach(async () => {
    key = await makeKeyPair(path.join(await scratch.dir(), 'id'));
    mine = await identityOf(key.path);
  });
  afterEach(() => scratch.clear());

  const server = async (options: Partial<SshdOptions> = {}): Promise<Sshd> => {
    const sshd = await startSshd({ authorizedKeys: [key.publicKey], ...options });
    scratch.onEnd(() => sshd.stop());
    return sshd;
  };
  const open = async (sshd: Sshd, more: Partial<LinkOptions> = {}): Promise<SshLink> => {
    const link = await SshLink.open({ ...loginOptions(sshd, sshd.port, [mine]), ...more });
    scratch.onEnd(() => link.end());
    return link;
  };
  const logins = (sshd: Sshd): number => sshd.log.split('\n').filter((line) => line.startsWith('Accepted publickey')).length;
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  /** Why no further connection could be made, as who waited in vain is told once that is known. */
  const causeOfWaiting = async (link: SshLink): Promise<unknown> => {
    for (let tries = 0; tries < 20; tries++) {
      const error: unknown = await link.exec('true', { deadlineMs: 500 }).then(() => undefined, (reason: unknown) => reason);
      assert.ok(withCode('timeout', { reason: 'no-free-session' })(error));
      if (error instanceof Error && error.cause !== undefined) return error.cause;
    }
    throw new Error('No reason was told');
  };
  /** Commands that hold their session until told. */
  const hold = (link: SshLink, count: number): Promise<(() => Promise<void>)[]> =>
    Promise.all(
      numbers(count).map(async () => {
        const channel = await link.exec('cat');
        channel.resume();
        channel.stderr.resume();
        return async () => {
          const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()));
          channel.end();
          await closed;
        };
      }),
    );

  it('carries 25 commands at once over a server that allows ten sessions a connection', async () => {
    const sshd = await server();
    const link = await open(sshd, { idleMs: 200 });
    const releases = await hold(link, 25);
    assert.equal(link.connectionCount, 3);
    assert.equal(logins(sshd), 3);
    await Promise.all(releases.map((release) => release()));
    // Extra connections are given back after a while; the first stays.
    await until(() => link.connectionCount === 1, 'the others are given back');
    const results = await Promise.all(numbers(25).map((i) => link.run(`sleep 0.2; exit ${i}`)));
    assert.deepEqual(results.map(({ code }) => code), numbers(25));
    assert.equal(link.primary.sessionCount, 0);
  });

  it('mixes kinds of sessions; forwards need none', async () => {
    const sshd = await server();
    const link = await open(sshd);
    const releases = await hold(link, 9);
    const session = await link.sftp();
    const shell = await link.shell({ cols: 80, rows: 24 });
    assert.equal(link.connectionCount, 2);
    const forward = await link.forwardOut('127.0.0.1', sshd.port);
    assert.equal(link.primary.sessionCount, 10);
    forward.end();
    session.end();
    shell.end('exit\n');
    await Promise.all(releases.map((release) => release()));
  });

  it('learns a lower limit', async () => {
    const sshd = await server({ extraConfig: 'MaxSessions 1' });
    const link = await open(sshd);
    const results = await Promise.all(numbers(8).map((i) => link.run(`sleep 0.1; exit ${i}`)));
    assert.deepEqual(results.map(({ code }) => code), numbers(8));
    assert.ok(link.connectionCount <= 6);
    assert.equal((await link.run('echo on')).stdout.toString(), 'on\n');
  });

  it('says when a server opens no session at all', async () => {
    const link = await open(await server({ extraConfig: 'MaxSessions 0' }));
    await assert.rejects(link.run('true'), withCode('channel-refused', { stage: 'open' }));
    const outcomes = await Promise.allSettled(numbers(5).map(() => link.run('true', { deadlineMs: 5_000 })));
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  });

  it('lets what does not fit wait its turn, up to its deadline', async () => {
    const link = await open(await server(), { maxConnections: 1 });
    const releases = await hold(link, 10);
    await assert.rejects(link.exec('true', { deadlineMs: 200 }), withCode('timeout', { reason: 'no-free-session' }));
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    await assert.rejects(link.run('true', { signal: abort.signal }), { name: 'CancelledError' });
    const waiting = link.run('echo turn');
    await releases[3]?.();
    assert.equal((await waiting).stdout.toString(), 'turn\n');
    const seat = link.acquire('exec');
    await releases[4]?.();
    const taken = await seat;
    assert.equal(taken.connection, link.primary);
    taken.release();
    taken.release();
    await Promise.all([hold(link, 2), link.run('true', { deadlineMs: 300 }).catch(() => undefined)]);
  });

  it('waits for a free session where no further connection can be had', async () => {
    const sshd = await server();
    const relay = await openRelay(sshd);
    scratch.onEnd(() => relay.close());
    const link = await SshLink.open(loginOptions(sshd, relay.port, [mine]));
    scratch.onEnd(() => link.end());
    const releases = await hold(link, 10);
    relay.relayTo(undefined);
    const waiting = link.run('echo turn');
    await sleep(100);
    await releases[0]?.();
    assert.equal((await waiting).stdout.toString(), 'turn\n');
    await hold(link, 1);
    assert.ok(withCode('refused')(await causeOfWaiting(link)));
  });

  it('never takes another server for more of the same', async () => {
    const [sshd, stranger] = [await server(), await server()];
    const relay = await openRelay(sshd);
    scratch.onEnd(() => relay.close());
    let asked = 0;
    const link = await SshLink.open({ ...loginOptions(sshd, relay.port, [mine]), verifyHostKey: () => ++asked > 0 });
    scratch.onEnd(() => link.end());
    await hold(link, 10);
    relay.relayTo(stranger);
    assert.ok(withCode('host-key-mismatch')(await causeOfWaiting(link)));
    assert.equal(asked, 1);
    assert.doesNotMatch(stranger.log, /publickey/);
  });

  it('is down when its first connection is, and tells so once', async () => {
    const sshd = await server();
    const relay = await openRelay(sshd);
    scratch.onEnd(() => relay.close());
    const link = await SshLink.open(loginOptions(sshd, relay.port, [mine]));
    scratch.onEnd(() => link.end());
    await hold(link, 12);
    let down = 0;
    link.onDown(() => down++);
    const pending = assert.rejects(link.run('sleep 60'), withCode('closed'));
    const queued = assert.rejects(Promise.all(numbers(60).map(() => link.exec('sleep 60'))), withCode('closed'));
    await sleep(50);
    relay.cut();
    await pending;
    await queued;
    await assert.rejects(link.run('true'), withCode('closed'));
    await new Promise<void>((resolve) => link.onDown(() => resolve()));
    assert.equal(down, 1);
    assert.equal(link.downBy?.code, 'closed');
    await until(() => link.connectionCount === 0, 'none is left');
  });

  it('ends with all its connections', async () => {
    const link = await open(await server());
    await hold(link, 12);
    const pending = assert.rejects(link.run('sleep 60'), withCode('closed', { reason: 'ended' }));
    await sleep(50);
    link.end();
    await pending;
    assert.equal(link.connectionCount, 0);
  });
});
