import * as assert from 'node:assert/strict';
import type { FilesHost } from '../../src/files/host';
import { isCancelled } from '../../src/base/errors';
import { PodUnavailableError, type UnavailableCode } from '../../src/pods/contracts';
import { sleep } from '../../src/base/time';
import type { SessionState } from '../../src/pods/session';
import { PinStore } from '../../src/ssh/pins';
import { openPublicPort, openRelay } from '../simulator/link';
import { until } from '../support/until';
import { apiError, deadPort, Rig } from './sessionRig';

const podId = 'llamaft01';
const code = (wanted: UnavailableCode) => (error: unknown) => {
  if (!(error instanceof PodUnavailableError)) throw error;
  assert.equal(error.code, wanted);
  return true;
};

describe('a pod session', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = new Rig();
    await rig.begin();
  });
  afterEach(() => rig.end());

  const says = async (session: { run: FilesHost['run'] }, word: string): Promise<void> => {
    const { stdout, code: exit } = await session.run(`echo ${word}`, { deadlineMs: 5_000 });
    assert.equal(stdout.toString(), `${word}\n`);
    assert.equal(exit, 0);
  };

  describe('connecting', () => {
    it('proves the host key by the log and shares one connection between files, commands and terminals', async () => {
      const sshd = await rig.sshd();
      const port = await openRelay(sshd);
      rig.onEnd(() => port.close());
      rig.runsAt(port, { printed: sshd.hostKeyFingerprint });
      const session = rig.sessions().get(podId);
      const host: FilesHost = session;
      const states: SessionState[] = [];
      session.onDidChange(({ state }) => states.push(state));
      assert.equal(session.state, 'idle');
      assert.equal(port.counts.connections, 0, 'nothing happens before it is needed');
      const [sftp, exec, shell] = await Promise.all([host.sftp(), session.exec('cat', { stdin: 'over exec' }), session.shell({ cols: 80, rows: 24 }), says(host, 'hello')]);
      const version = new Promise<Buffer>((resolve) => sftp.once('data', resolve));
      sftp.write(Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]));
      assert.equal((await version)[4], 2, 'the SFTP server tells its version');
      const chunks: Buffer[] = [];
      for await (const chunk of exec) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), 'over exec');
      shell.end('exit\n');
      assert.equal(rig.reads, 1);
      assert.equal(port.counts.connections, 2, 'one probe, one connection');
      assert.deepEqual(states, ['connecting', 'connected']);
      assert.deepEqual(session.trust, { verdict: 'proven', fingerprint: sshd.hostKeyFingerprint });
      await until(() => rig.log.open === 0, 'the log is left');
    });

    it('trusts the key on first use where the log has none, and holds to it from then on in this start', async () => {
      const sshd = await rig.sshd();
      rig.runsAt(sshd);
      const first = rig.sessions().get(podId);
      await first.link();
      assert.deepEqual(first.trust, { verdict: 'first-use', fingerprint: sshd.hostKeyFingerprint });
      const second = rig.sessions().get(podId);
      await second.link();
      assert.equal(second.trust?.verdict, 'pinned');
      const other = await rig.sshd();
      rig.pod = { ...rig.pod, ssh: { direct: { host: other.host, port: other.port, username: other.username } } };
      await assert.rejects(rig.sessions().get(podId).link(), code('host-key'));
      rig.runsAt(other, { startedAgoMs: 500_000 });
      const third = rig.sessions().get(podId);
      await third.link();
      assert.equal(third.trust?.verdict, 'first-use', 'a new start has a new key');
    });

    it('gives more sessions than the server allows on one connection', async () => {
      const sshd = await rig.sshd();
      rig.runsAt(sshd, { printed: sshd.hostKeyFingerprint });
      const session = rig.sessions().get(podId);
      const channels = await Promise.all(Array.from({ length: 14 }, () => session.exec('cat')));
      await says(session, 'one more');
      assert.equal((sshd.log.match(/Accepted publickey/g) ?? []).length, 2);
      for (const channel of channels) channel.close();
    });

    it('does not connect to a machine with another key, tells both fingerprints and sends it nothing', async () => {
      const [right, wrong] = [await rig.sshd(), await rig.sshd()];
      rig.runsAt(wrong, { printed: right.hostKeyFingerprint });
      const session = rig.sessions().get(podId);
      const error: unknown = await session.link().catch((reason: unknown) => reason);
      assert.ok(error instanceof PodUnavailableError);
      assert.equal(error.code, 'host-key');
      assert.deepEqual(error.facts, { host: wrong.host, port: wrong.port, fingerprint: wrong.hostKeyFingerprint, expected: [right.hostKeyFingerprint], expectedFrom: 'log' });
      assert.ok(error.message.includes(wrong.hostKeyFingerprint) && error.message.includes(right.hostKeyFingerprint));
      assert.equal(session.state, 'unavailable');
      assert.equal(session.reason, error);
      assert.doesNotMatch(wrong.log, /userauth|publickey|Accepted/i);
      assert.equal(rig.pinned, undefined);
    });

    it('takes another key once a person has approved it, for this start alone, and refuses it in the next', async () => {
      const sshd = await rig.sshd();
      rig.runsAt(sshd, { printed: `SHA256:${'x'.repeat(43)}` });
      const sessions = rig.sessions({ coolDownMs: 0 });
      const session = sessions.get(podId);
      const refused = await session.link().then(() => assert.fail('it was let in'), (error: unknown) => error as PodUnavailableError);
      assert.equal(refused.code, 'host-key');
      const pins = new PinStore({ read: async () => rig.pinned, write: async (text) => void (rig.pinned = text), exclusive: (work) => work() });
      await pins.approve({ podId, startedAt: rig.pod.startedAt?.toISOString() }, refused.facts.fingerprint ?? '');
      await session.reconnect();
      assert.equal(session.trust?.verdict, 'pinned');
      session.end();
      await session.link();
      session.end();
      rig.runsAt(sshd, { startedAgoMs: 400_000, printed: `SHA256:${'x'.repeat(43)}` });
      await assert.rejects(session.link(), code('host-key'));
    });

    it('lets one caller leave without ending the attempt of the others', async () => {
      const sshd = await rig.sshd();
      rig.runsAt(sshd, { printed: sshd.hostKeyFingerprint });
      const session = rig.sessions().get(podId);
      const leave = new AbortController();
      const [left, stays] = [session.link(leave.signal), session.link()];
      leave.abort();
      await assert.rejects(left, isCancelled);
      await stays;
      assert.equal(rig.reads, 1);
    });

    it('gives the attempt up when the last caller has left', async () => {
      const port = await openRelay(await deadPort(), { fault: 'blackhole' });
      rig.onEnd(() => port.close());
      rig.runsAt(port);
      const session = rig.sessions({ probeMs: 60_000 }).get(podId);
      const leave = new AbortController();
      const left = session.link(leave.signal);
      await until(() => rig.log.open === 1, 'the attempt is under way');
      leave.abort();
      await assert.rejects(left, isCancelled);
      assert.equal(session.state, 'idle');
      const sshd = await rig.sshd();
      rig.runsAt(sshd, { printed: sshd.hostKeyFingerprint });
      await session.link();
      await until(() => rig.log.open === 0, 'nothing is left of the first');
    });

    it('says why there is no connection to be had', async () => {
      const session = rig.sessions({ coolDownMs: 0 }).get(podId);
      const { pod } = rig;
      const proxy = { host: 'ssh.runpod.io', port: 22, username: 'llamaft01-64411eb2' };
      rig.pod = { ...pod, status: 'EXITED', ssh: {} };
      await assert.rejects(session.link(), code('stopped'));
      rig.pod = { ...pod, status: 'STARTING', ssh: {} };
      await assert.rejects(session.link(), code('starting'));
      rig.pod = { ...pod, ports: [], ssh: { proxy } };
      await assert.rejects(session.link(), code('proxy-only'));
      rig.pod = { ...pod, ssh: { refused: '127.0.0.1' } };
      await assert.rejects(session.link(), code('bad-address'));
      rig.pod = { ...pod, status: 'ERROR', ssh: {} };
      await assert.rejects(session.link(), code('failed'));
      rig.runsAt(await deadPort());
      await assert.rejects(session.link(), code('no-ssh'));
      for (const [cause, wanted] of [['not-found', 'gone'], ['unauthorized', 'no-api-key'], ['server', 'api']] as const) {
        rig.apiFails = apiError(cause);
        await assert.rejects(session.link(), code(wanted));
      }
    });

    it('says that nobody greets on the port, or that none of our keys is taken', async () => {
      const silent = await openRelay(await deadPort(), { fault: 'blackhole' });
      rig.onEnd(() => silent.close());
      const session = rig.sessions({ coolDownMs: 0 }).get(podId);
      rig.runsAt(silent);
      await assert.rejects(session.link(), code('no-ssh'));
      const foreign = await rig.sshd({ authorizedKeys: [] });
      rig.runsAt(foreign, { printed: foreign.hostKeyFingerprint });
      await assert.rejects(session.link(), code('auth'));
      assert.equal(rig.pinned, undefined, 'a key is kept only after a login');
    });

    it('answers a burst of calls after a failure without asking anybody, until a person wants to know', async () => {
      rig.pod = { ...rig.pod, status: 'EXITED', ssh: {} };
      const session = rig.sessions({ coolDownMs: 60_000 }).get(podId);
      for (let i = 0; i < 5; i++) await assert.rejects(session.link(), code('stopped'));
      assert.equal(rig.reads, 1);
      await assert.rejects(session.reconnect(), code('stopped'));
      assert.equal(rig.reads, 2);
    });

    it('does not trust an unknown key when the log could not be read in passing, and does where it may not be read', async () => {
      const sshd = await rig.sshd();
      rig.runsAt(sshd);
      rig.log.add(['Pod Started']);
      rig.log.cutAfter = { lines: 0, error: apiError('server') };
      const session = rig.sessions({ attempts: 1, coolDownMs: 0 }).get(podId);
      await assert.rejects(session.link(), code('api'));
      assert.doesNotMatch(sshd.log, /Accepted/);
      rig.log.cutAfter = { lines: 0, error: apiError('forbidden') };
      await session.link();
      assert.equal(session.trust?.verdict, 'first-use');
    });
  });

  describe('right after a start', () => {
    it('takes a stranger at the old address for what it is and waits for the new one', async () => {
      const [own, stranger] = [await rig.sshd(), await rig.sshd({ authorizedKeys: [] })];
      rig.runsAt(stranger, { startedAgoMs: 1_000, printed: own.hostKeyFingerprint });
      const session = rig.sessions().get(podId);
      const linking = session.link();
      await until(() => session.reason?.code === 'host-key', 'the stranger was met');
      assert.equal(session.state, 'connecting', 'no alarm');
      rig.pod = { ...rig.pod, ssh: { direct: { host: own.host, port: own.port, username: own.username } } };
      await linking;
      assert.deepEqual(session.trust, { verdict: 'proven', fingerprint: own.hostKeyFingerprint });
      assert.equal(session.reason, undefined);
      assert.doesNotMatch(stranger.log, /userauth|Accepted/i);
    });

    it('does not trust an unknown key on first use before the address has settled', async () => {
      const [own, stranger] = [await rig.sshd(), await rig.sshd()];
      rig.runsAt(stranger, { startedAgoMs: 1_000 });
      const session = rig.sessions({ settleMs: 600 }).get(podId);
      const linking = session.link();
      await until(() => rig.reads >= 2, 'it looks again');
      rig.pod = { ...rig.pod, ssh: { direct: { host: own.host, port: own.port, username: own.username } } };
      await linking;
      assert.deepEqual(session.trust, { verdict: 'first-use', fingerprint: own.hostKeyFingerprint });
      assert.doesNotMatch(stranger.log, /userauth|Accepted/i);
    });

    it('looks for another address when a machine without proof takes none of our keys', async () => {
      const [own, stranger] = [await rig.sshd(), await rig.sshd({ authorizedKeys: [] })];
      rig.runsAt(stranger, { startedAgoMs: 1_000 });
      const session = rig.sessions({ settleMs: 0 }).get(podId);
      const linking = session.link();
      await until(() => session.reason?.code === 'auth', 'the stranger has refused us');
      rig.pod = { ...rig.pod, ssh: { direct: { host: own.host, port: own.port, username: own.username } } };
      await linking;
      assert.equal(session.trust?.fingerprint, own.hostKeyFingerprint);
    });

    it('waits for an sshd that is late and for a port that is not there yet', async () => {
      const sshd = await rig.sshd();
      const port = await openPublicPort();
      rig.onEnd(() => port.close());
      rig.runsAt(port, { startedAgoMs: 1_000, printed: sshd.hostKeyFingerprint });
      const withPort = rig.pod;
      rig.pod = { ...rig.pod, ssh: {} };
      const session = rig.sessions().get(podId);
      const linking = session.link();
      await until(() => session.reason?.code === 'starting', 'there is no address');
      rig.pod = withPort;
      await until(() => session.reason?.code === 'no-ssh', 'nobody answers');
      port.relayTo(sshd);
      await linking;
      assert.equal(session.trust?.verdict, 'proven');
    });

    it('raises the alarm when the wrong key is still there after that time', async () => {
      const [right, wrong] = [await rig.sshd(), await rig.sshd()];
      rig.runsAt(wrong, { startedAgoMs: 200, printed: right.hostKeyFingerprint });
      await assert.rejects(rig.sessions({ freshMs: 900 }).get(podId).link(), code('host-key'));
      assert.ok(rig.reads > 1);
    });
  });

  describe('over time', () => {
    it('survives twenty cuts in the middle of work without anybody reopening anything', async () => {
      const sshd = await rig.sshd();
      const port = await openRelay(sshd);
      rig.onEnd(() => port.close());
      rig.runsAt(port, { printed: sshd.hostKeyFingerprint });
      const session = rig.sessions().get(podId);
      let downs = 0;
      session.onDown(() => downs++);
      for (let cut = 1; cut <= 20; cut++) {
        await says(session, `round ${cut}`);
        const pending = session.run('sleep 30', { deadlineMs: 20_000 });
        await session.exec('true');
        port.cut();
        await assert.rejects(pending);
        assert.equal(downs, cut);
        assert.equal(session.state, 'idle');
      }
      await says(session, 'still here');
    });

    it('comes back by itself while something is open, and not when nothing is', async () => {
      const sshd = await rig.sshd();
      const port = await openRelay(sshd);
      rig.onEnd(() => port.close());
      rig.runsAt(port, { printed: sshd.hostKeyFingerprint });
      const session = rig.sessions().get(podId);
      await session.link();
      port.cut();
      await until(() => session.state === 'idle', 'nobody needs it');
      const hold = session.hold();
      await session.link();
      const states: SessionState[] = [];
      session.onDidChange(({ state }) => states.push(state));
      port.relayTo(undefined);
      port.cut();
      await until(() => session.reason?.code === 'no-ssh', 'it tries in vain');
      assert.equal(session.state, 'retrying');
      port.relayTo(sshd);
      await until(() => session.state === 'connected', 'it is back');
      assert.ok(!states.includes('unavailable'));
      hold.dispose();
      hold.dispose();
      port.cut();
      await until(() => session.state === 'idle', 'it stays away');
    });

    it('takes its time to come back where nobody looks, and none when somebody looks again', async () => {
      const sshd = await rig.sshd();
      const port = await openRelay(sshd);
      rig.onEnd(() => port.close());
      rig.runsAt(port, { printed: sshd.hostKeyFingerprint });
      rig.watched = false;
      const sessions = rig.sessions({ comeBackMs: 600_000, comeBackUnwatchedCapMs: 600_000 });
      const session = sessions.get(podId);
      await session.link();
      session.hold();
      const before = rig.reads;
      port.cut();
      await until(() => session.state === 'retrying', 'the loss is noticed');
      await sleep(500);
      assert.equal(rig.reads, before, 'the API is asked nothing meanwhile');
      sessions.awake();
      await until(() => session.state === 'connected', 'it is back');
      rig.watched = true;
      port.cut();
      await until(() => session.state === 'retrying', 'the loss is noticed again');
      await until(() => session.state === 'connected', 'it comes back by itself where somebody looks');
    });

    it('finds the pod at its new port with its new key after a stop and start, while a folder is open', async () => {
      const before = await rig.sshd();
      rig.runsAt(before, { printed: before.hostKeyFingerprint });
      const sessions = rig.sessions();
      const session = sessions.get(podId);
      session.hold();
      await says(session, 'before');
      let downs = 0;
      session.onDown(() => downs++);

      rig.pod = { ...rig.pod, status: 'EXITED', ssh: {} };
      sessions.podChanged(rig.pod);
      assert.equal(downs, 1, 'the stop ends the connection at once');
      assert.equal(session.state, 'unavailable');
      assert.equal(session.reason?.code, 'stopped');
      const reads = rig.reads;
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(rig.reads, reads, 'a stopped pod is left in peace');

      rig.pod = { ...rig.pod, status: 'STARTING' };
      sessions.podChanged(rig.pod);
      const after = await rig.sshd();
      rig.runsAt(after, { startedAgoMs: 0, printed: after.hostKeyFingerprint });
      sessions.podChanged(rig.pod);
      await until(() => session.state === 'connected', 'it is back');
      assert.deepEqual(session.trust, { verdict: 'proven', fingerprint: after.hostKeyFingerprint });
      await says(session, 'after');
    });

    it('is not misled by late news of the start before, and ends a connection of it on news of the next', async () => {
      const [before, after] = [await rig.sshd(), await rig.sshd()];
      const old = rig.runsAt(before, { printed: before.hostKeyFingerprint });
      const sessions = rig.sessions();
      const session = sessions.get(podId);
      await says(session, 'before');
      rig.runsAt(after, { startedAgoMs: 1_000, printed: after.hostKeyFingerprint });
      sessions.podChanged(rig.pod);
      assert.equal(session.state, 'idle');
      await says(session, 'after');
      let downs = 0;
      session.onDown(() => downs++);
      sessions.podChanged(old);
      sessions.podChanged({ ...old, status: 'EXITED' });
      sessions.podChanged({ ...rig.pod, ssh: old.ssh });
      assert.equal(downs, 0);
      await says(session, 'still');
    });

    it('notices a link that died without a word', async () => {
      const sshd = await rig.sshd();
      const port = await openRelay(sshd);
      rig.onEnd(() => port.close());
      rig.runsAt(port, { printed: sshd.hostKeyFingerprint });
      const session = rig.sessions({ keepaliveMs: 50 }).get(podId);
      await session.link();
      const pending = session.run('sleep 30', { deadlineMs: 20_000 });
      port.shape({ fault: 'stall' });
      await assert.rejects(pending);
      port.shape({});
      await says(session, 'again');
    });

    it('ends with the pod', async () => {
      const sshd = await rig.sshd();
      rig.runsAt(sshd, { printed: sshd.hostKeyFingerprint });
      const sessions = rig.sessions();
      const session = sessions.get(podId);
      session.hold();
      const pending = session.run('sleep 30', { deadlineMs: 20_000 });
      await until(() => session.state === 'connected', 'it is connected');
      sessions.forget(podId);
      await assert.rejects(pending);
      await assert.rejects(session.link(), code('gone'));
      assert.equal(sessions.peek(podId), undefined);
      assert.notEqual(sessions.get(podId), session);
    });
  });

  describe('by the proxy', () => {
    it('gives a shell with the account key where there is nothing else, and holds to the proxy by its name', async () => {
      const proxy = await rig.sshd();
      rig.pod = { ...rig.pod, ports: [], ssh: { proxy: { host: proxy.host, port: proxy.port, username: proxy.username } } };
      const session = rig.sessions().get(podId);
      await assert.rejects(session.sftp(), code('proxy-only'));
      const shell = await session.proxyShell({ cols: 80, rows: 24 });
      let said = '';
      shell.on('data', (chunk: Buffer) => (said += chunk.toString()));
      shell.write('echo by-$((40+2))\n');
      await until(() => said.includes('by-42'), 'the shell answers');
      const over = new Promise((resolve) => shell.once('close', resolve));
      shell.end('exit\n');
      await over;

      const impostor = await rig.sshd();
      rig.pod = { ...rig.pod, ssh: { proxy: { host: impostor.host, port: impostor.port, username: impostor.username } } };
      await assert.rejects(session.proxyShell({ cols: 80, rows: 24 }), code('host-key'));
      assert.doesNotMatch(impostor.log, /Accepted/);
    });

    it('is left where another window has met another server of that name meanwhile', async () => {
      const proxy = await rig.sshd();
      rig.pod = { ...rig.pod, ports: [], ssh: { proxy: { host: proxy.host, port: proxy.port, username: proxy.username } } };
      const fingerprint = `SHA256:${'x'.repeat(43)}`;
      const own = rig.identities;
      rig.identities = async (mayAsk) =>
        (await own(mayAsk)).map((identity) => ({
          ...identity,
          // Asked to sign after the host key was judged, and before it is remembered.
          sign: (data, hash) => {
            rig.pinned = JSON.stringify({ version: 1, pods: {}, hosts: { [proxy.host]: { fingerprint, type: 'ssh-ed25519', pinnedAt: new Date().toISOString() } } });
            return identity.sign(data, hash);
          },
        }));
      const refused = await rig.sessions().get(podId).proxyShell({ cols: 80, rows: 24 }).then(() => undefined, (error: unknown) => error);
      assert.ok(code('host-key')(refused));
      assert.deepEqual(refused instanceof PodUnavailableError ? refused.facts.expected : undefined, [fingerprint]);
    });
  });
});
