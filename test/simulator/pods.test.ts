import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Client } from 'ssh2';
import { sleep } from '../../src/base/time';
import { ApiClient, atOnce, type PodJson } from './apiClient';
import { startSimulator, type Simulator } from './simulator';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Logs in with the account's key, runs a command and leaves. */
async function ssh(simulator: Simulator, { host, port }: Address, command: string, username = 'root'): Promise<{ stdout: string; code: number; fingerprint: string }> {
  const privateKey = await readFile(simulator.accountKey.path, 'utf8');
  const client = new Client();
  let fingerprint = '';
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).on('error', reject);
      client.connect({
        host,
        port,
        username,
        privateKey,
        readyTimeout: 10_000,
        hostVerifier: (key: Buffer) => {
          fingerprint = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
          return true;
        },
      });
    });
    return await new Promise((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error !== undefined) return reject(error);
        let stdout = '';
        channel.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
        channel.stderr.resume();
        channel.on('close', (code: number) => resolve({ stdout, code, fingerprint }));
      });
    });
  } finally {
    client.end();
  }
}

/** Tries until sshd answers, as it does not at once after RUNNING. */
async function sshWhenUp(simulator: Simulator, address: Address, command: string): ReturnType<typeof ssh> {
  for (let tries = 0; ; tries++)
    try {
      return await ssh(simulator, address, command);
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(100);
    }
}

const accepts = ({ host, port }: Address): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => resolve(false)).setTimeout(2000, () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });

/** Resolves once nothing listens there any more. */
async function refuses(address: Address): Promise<void> {
  for (let tries = 0; await accepts(address); tries++) {
    if (tries > 100) throw new Error('it still accepts');
    await sleep(50);
  }
}

describe('a running pod is a computer that one can log in to', () => {
  let simulator: Simulator;
  let api: ApiClient;
  before(async () => {
    simulator = await startSimulator({ settings: { timings: { ...atOnce, oldPortMs: 60_000 } } });
    api = new ApiClient(simulator);
  });
  after(() => simulator.close());

  const address = async (id: string): Promise<Address> => {
    for (let tries = 0; tries < 200; tries++) {
      const { direct } = (await api.pod(id)).ssh;
      if (direct !== null) return direct;
      await sleep(25);
    }
    throw new Error('no address');
  };
  const created = async (body: Record<string, unknown> = {}): Promise<PodJson> => {
    const { id } = await api.create(body);
    await simulator.until(id, 'RUNNING');
    await address(id);
    return api.pod(id);
  };

  it('the fleet is there, with a project that trains', async () => {
    const pod = simulator.pod('llama-ft');
    const { stdout, code } = await ssh(simulator, await address(pod.id), `cd ${pod.realMountPath ?? '/workspace'} && python3 train.py --epochs 2 --pause 0 && cat out/loss.csv`);
    assert.equal(code, 0);
    assert.match(stdout, /epoch 2\/2 {2}loss \d\.\d{4}/);
    assert.match(stdout, /epoch,loss,seconds\r?\n1,\d/);
    const volume = simulator.lifecycle.networkVolumeDir('agv6w2qcg7');
    await writeFile(join(volume, 'from-outside.txt'), 'here\n');
    const cpu = simulator.pod('prep-cpu');
    assert.equal((await ssh(simulator, await address(cpu.id), `cat ${cpu.realMountPath ?? '/workspace'}/from-outside.txt`)).stdout, 'here\n');
  });

  it('its log has the fingerprint of the key that it shows', async () => {
    const { id } = simulator.pod('llama-ft');
    const { fingerprint } = await ssh(simulator, await address(id), 'true');
    await api.log(id, '?source=container&tail=5000', (frames) => frames.some((frame) => frame.line.includes(fingerprint)));
  });

  it('sshd refuses for a while after RUNNING', async () => {
    simulator.set({ timings: { sshDelayMs: 4000 } });
    const pod = await created();
    const direct = await address(pod.id);
    assert.equal(await accepts(direct), false);
    await sshWhenUp(simulator, direct, 'true');
    simulator.set({ timings: { sshDelayMs: 0 } });
    await api.act(pod.id, 'terminate');
  });

  it('stop keeps the volume; the next start has another port and other host keys, and the old address is nobody or a stranger', async () => {
    const pod = await created();
    const mount = simulator.pod(pod.id).realMountPath ?? '/workspace';
    const first = await address(pod.id);
    const before = await sshWhenUp(simulator, first, `echo kept > ${mount}/kept`);
    await api.act(pod.id, 'stop');
    await refuses(first);
    simulator.set({ oldPortAnswersForStranger: true });
    await api.act(pod.id, 'start');
    await simulator.until(pod.id, 'RUNNING');
    assert.deepEqual(await address(pod.id).then(({ port }) => port), first.port);
    const stranger = await sshWhenUp(simulator, first, 'hostname');
    assert.notEqual(stranger.fingerprint, before.fingerprint);
    simulator.set({ oldPortAnswersForStranger: false });
    simulator.advance(120_000);
    let second = await address(pod.id);
    for (let tries = 0; second.port === first.port && tries < 200; tries++) {
      await sleep(25);
      second = await address(pod.id);
    }
    assert.notEqual(second.port, first.port);
    const after = await sshWhenUp(simulator, second, `cat ${mount}/kept`);
    assert.equal(after.stdout, 'kept\n');
    assert.notEqual(after.fingerprint, before.fingerprint);
    assert.notEqual(after.fingerprint, stranger.fingerprint);

    await simulator.answerAsStranger(pod.id);
    assert.equal((await sshWhenUp(simulator, second, 'true')).fingerprint, stranger.fingerprint);
    simulator.answerAgain(pod.id);
    assert.equal((await sshWhenUp(simulator, second, 'true')).fingerprint, after.fingerprint);
    await api.act(pod.id, 'terminate');
    await refuses(second);
  });

  it('its own key ends it from inside', async () => {
    simulator.set({ timings: { stopMs: 2000 } });
    const pod = await created();
    const direct = await address(pod.id);
    const environment = Object.fromEntries(
      (await sshWhenUp(simulator, direct, "tr '\\0' '\\n' < /proc/1/environ || cat /etc/rp_environment")).stdout.split('\n').map((line) => line.split(/=(.*)/s)),
    ) as Record<string, string>;
    const key = simulator.mode === 'full' ? environment['RUNPOD_API_KEY'] : simulator.pod(pod.id).key;
    const call = `curl -s -o /dev/null -w '%{http_code}' -A guard/1 -H 'Authorization: Bearer ${key ?? ''}'`;
    assert.equal((await ssh(simulator, direct, `${call} ${simulator.restUrl}/pods/gfj8b292vyg08g`)).stdout, '403');
    assert.equal((await ssh(simulator, direct, `${call} -X POST -H 'Content-Type: application/json' -d '{"action":"stop"}' ${simulator.restUrl}/pods/${pod.id}/action`)).stdout, '200');
    assert.equal((await api.pod(pod.id)).status, 'EXITED');
  });

  it('the proxy lets account keys in, to a shell only', async () => {
    const { proxy } = (await api.pod(simulator.pod('llama-ft').id)).ssh;
    assert.ok(proxy);
    const refused = await ssh(simulator, proxy, 'true', proxy.username).then(({ stdout }) => stdout, (error: unknown) => String(error));
    assert.match(refused, /PTY|exec/i);
  });
});

describe('pods where namespaces are refused', () => {
  it('tell their folder as mount path, and sshd serves it', async () => {
    const simulator = await startSimulator({ mode: 'plain', settings: { timings: atOnce } });
    try {
      const api = new ApiClient(simulator);
      const pod = (await api.pod('gfj8b292vyg08g')) as PodJson & { mounts: { persistent: { path: string } } };
      assert.notEqual(pod.mounts.persistent.path, '/workspace');
      assert.ok(pod.ssh.direct);
      const { stdout } = await ssh(simulator, pod.ssh.direct, `ls ${pod.mounts.persistent.path}`);
      assert.match(stdout, /train\.py/);
    } finally {
      await simulator.close();
    }
  });
});
