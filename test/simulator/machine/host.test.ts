import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { sleep } from '../../../src/base/time';
import { fingerprintOf } from '../../support/sshd';
import type { ImageKind } from '../machine';
import { Fixture, run, tracesOf, type Pod } from './fixture';

/** Whether namespaces are granted here is the machine's to say; without them the plain pods below are what there is. */
describe('a pod as a machine of its own', () => {
  let center: Fixture;
  let pod: Pod;

  before(async function () {
    center = await Fixture.open();
    if (center.host.mode === 'plain') {
      console.log(`      no namespaces here: ${center.host.whyPlain}`);
      return this.skip();
    }
    pod = await center.start();
    await pod.logged(/ready to use/);
  });
  after(() => center.close());

  describe('its start script', () => {
    it('is PID 1 and says what RunPod’s says, in its order', async () => {
      assert.match(await pod.run('cat /proc/1/cmdline'), /start\.sh/);
      const steps = [/nginx/, /^Pod Started$/, /^RSA key fingerprint:$/, /^2048 SHA256:\S+ root@host-pod1 \(RSA\)$/, /^ECDSA key fingerprint:$/, /^ED25519 key fingerprint:$/, /^SSH host keys:$/, /^Key: \/etc\/ssh\/ssh_host_ed25519_key\.pub$/, /^Start script\(s\) finished, Pod is ready to use\.$/];
      let at = -1;
      for (const step of steps) {
        const next = pod.log.findIndex((line, i) => i > at && step.test(line));
        assert.ok(next > at, `${step} is missing after line ${at} of\n${pod.log.join('\n')}`);
        at = next;
      }
    });

    it('prints the fingerprints of the keys that its sshd shows', async () => {
      await pod.client();
      const { stdout } = await run('ssh-keyscan', ['-p', String(pod.port.port), pod.port.host]);
      const shown = stdout.trim().split('\n').map((line) => fingerprintOf(line.split(' ').slice(1).join(' ')));
      assert.equal(shown.length, 3);
      for (const fingerprint of shown) assert.ok(pod.log.some((line) => line.includes(fingerprint)));
    });

    it('prints chatter after the fingerprints when told', async () => {
      const chatty = await center.start({ chatterLines: 3000 });
      await chatty.logged(/ready to use/);
      const [keys, last] = [chatty.log.lastIndexOf('Key: /etc/ssh/ssh_host_rsa_key.pub'), chatty.log.findIndex((line) => line.includes('component 3000'))];
      assert.ok(keys > 0 && last - keys > 2999);
      await chatty.machine.stop();
    });

    it('sets SSH up only with a public key', async () => {
      const closed = await center.start({ env: {} });
      await closed.logged(/ready to use/);
      assert.ok(!closed.log.some((line) => line.includes('fingerprint')));
      await assert.rejects(closed.machine.connect(22), /Nothing listens/);
      await closed.machine.stop();
    });

    it('takes several public keys, one per line', async () => {
      const shared = await center.start({ env: { PUBLIC_KEY: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA other\n${center.key.publicKey}` } });
      assert.equal(await shared.ssh('wc -l <.ssh/authorized_keys'), '2\n');
      await shared.machine.stop();
    });

    it('runs the hooks of the image', async () => {
      const hooked = await center.start({ args: 'sh -c "echo \'echo before: $RUNPOD_POD_ID\' >/pre_start.sh; echo \'echo after\' >/post_start.sh; exec /start.sh"' });
      await hooked.logged(/^after$/);
      assert.ok(hooked.log.findIndex((line) => line.startsWith('before: pod')) < hooked.log.indexOf('Pod Started'));
      assert.ok(hooked.log.indexOf('after') > hooked.log.findIndex((line) => line.includes('ready to use')));
      await hooked.machine.stop();
    });
  });

  describe('its world', () => {
    it('has its own host name, processes, root and configuration', async () => {
      assert.equal(await pod.run('hostname; cat /etc/hostname'), 'host-pod1\nhost-pod1\n');
      const processes = await pod.run('ps ax -o comm=');
      assert.ok(processes.includes('sshd') && !processes.includes('node'), processes);
      assert.equal(await pod.run('ls -A /root'), '.bashrc\n.profile\n.ssh\n');
      assert.equal(await pod.run('ls -A /tmp /home /mnt /var/log'), '/home:\n\n/mnt:\n\n/tmp:\n\n/var/log:\n');
      assert.equal(await pod.run(`ls ${center.dir} ${process.cwd()} 2>&1 | grep -c 'No such file'`), '2\n');
      assert.match(await pod.run('whoami; head -n 1 /etc/passwd'), /^root\nroot:x:.*:\/root:\/bin\/bash\n$/);
    });

    it('keeps the pod’s environment from SSH sessions, but for interactive shells', async () => {
      assert.match(await pod.run("tr '\\0' '\\n' </proc/1/environ"), /^MODEL=llama-ft$/m);
      assert.equal(await pod.ssh('echo "[$MODEL]"'), '[]\n');
      assert.equal(await pod.ssh('bash -lc \'echo "[$MODEL]"\''), '[]\n');
      assert.equal(await pod.ssh('bash -ic \'echo "[$MODEL]"\' 2>/dev/null'), '[llama-ft]\n');
    });

    it('writes /etc/rp_environment as RunPod does: upper-case names, nothing escaped, no public key', async () => {
      const odd = await center.start({ env: { PUBLIC_KEY: center.key.publicKey, QUOTED: 'a "b" $HOME', lower_case: 'no', X1: '1=2' } });
      await odd.logged(/ready to use/);
      const lines = (await odd.run('cat /etc/rp_environment')).split('\n');
      assert.ok(lines.includes('export QUOTED="a "b" $HOME"'));
      assert.ok(lines.includes('export X1="1=2"'));
      assert.ok(!lines.some((line) => /PUBLIC_KEY|lower_case/.test(line)));
      assert.equal(await odd.run('tail -n 1 ~/.bashrc'), 'source /etc/rp_environment\n');
      await odd.machine.stop();
    });

    it('shows its volume where it is mounted, both ways', async () => {
      await writeFile(path.join(pod.volumeDir, 'train.py'), 'print("epoch 1")\n');
      assert.equal(await pod.ssh('cd /workspace && python3 train.py && echo saved >result.txt'), 'epoch 1\n');
      assert.equal(await readFile(path.join(pod.volumeDir, 'result.txt'), 'utf8'), 'saved\n');
      assert.equal(pod.machine.mountPath, '/workspace');
    });

    it('mounts the volume wherever it is told, or none', async () => {
      const [elsewhere, none] = await Promise.all([center.start({ mountPath: '/root/data' }), center.start({ volumeDir: undefined, mountPath: undefined })]);
      await elsewhere.run('echo kept >/root/data/file');
      assert.equal(await readFile(path.join(elsewhere.volumeDir, 'file'), 'utf8'), 'kept\n');
      assert.match(await none.run('ls /workspace 2>&1'), /No such file/);
      await Promise.all([elsewhere.machine.stop(), none.machine.stop()]);
    });

    it('cannot harm the machine it runs on', async () => {
      const rogue = await center.start();
      await rogue.logged(/ready to use/);
      await rogue.run('rm -rf /usr/share/doc /etc/passwd; mount -t tmpfs tmpfs /opt');
      assert.equal(await rogue.run('ls /etc/passwd 2>/dev/null; grep /opt.tmpfs /proc/mounts'), '');
      assert.match(await rogue.run('echo 0 >/proc/sys/vm/overcommit_memory'), /Read-only|denied/);
      assert.ok(existsSync('/etc/passwd') && existsSync('/usr/share/doc'));
      await rogue.machine.stop();
    });

    it('has a nvidia-smi that shows its GPUs at work', async () => {
      const two = await center.start({ gpuCount: 2, gpuName: 'NVIDIA A100 80GB PCIe' });
      assert.match(await two.run('nvidia-smi'), /NVIDIA A100 80GB PCIe[\s\S]*NVIDIA A100 80GB PCIe[\s\S]*81559MiB/);
      const csv = (await two.run('nvidia-smi --query-gpu=index,name,memory.used,memory.total,utilization.gpu --format=csv')).trim().split('\n');
      assert.equal(csv[0], 'index, name, memory.used [MiB], memory.total [MiB], utilization.gpu [%]');
      assert.match(csv[2] ?? '', /^1, NVIDIA A100 80GB PCIe, \d+ MiB, 81559 MiB, \d+ %$/);
      assert.match(await two.run('nvidia-smi --query-gpu=utilization.gpu,memory.total --format=csv,noheader,nounits -i 0'), /^\d+, 81559\n$/);
      assert.match(await two.run('nvidia-smi -L'), /^GPU 0: .*\nGPU 1: /);
      await two.machine.stop();
    });

    it('has no GPU when it was started without', async () => {
      const [empty, cpu] = await Promise.all([center.start({ gpuCount: 0 }), center.start({ gpuCount: 0, gpuName: '' })]);
      assert.equal(await empty.run('nvidia-smi; echo $?'), 'No devices were found\n6\n');
      assert.match(await cpu.run('nvidia-smi 2>&1'), /not found/);
      await Promise.all([empty.machine.stop(), cpu.machine.stop()]);
    });
  });

  describe('its SSH server', () => {
    it('serves SFTP and rsync', async () => {
      const options = await pod.client();
      const batch = path.join(center.dir, 'batch');
      await writeFile(batch, `cd /workspace\nput ${center.key.path}.pub uploaded\nrename uploaded renamed\nls -l\n`);
      await run('sftp', [...options, '-P', String(pod.port.port), '-b', batch, `root@${pod.port.host}`]);
      assert.equal((await readFile(path.join(pod.volumeDir, 'renamed'), 'utf8')).trim(), center.key.publicKey);
      await run('rsync', ['-a', '-e', `ssh ${options.join(' ')} -p ${pod.port.port}`, path.join(__dirname, 'image/'), `root@${pod.port.host}:/workspace/image/`]);
      assert.deepEqual(await readdir(path.join(pod.volumeDir, 'image')), await readdir(path.join(__dirname, 'image')));
    });

    it('gives a terminal', async () => {
      assert.match(await pod.ssh('tty; stty size', '-tt'), /^\/dev\/pts\/\d+\r\n/);
    });

    it('forwards ports of the pod', async () => {
      await pod.run('cd /workspace && (python3 -m http.server 8888 --bind 127.0.0.1 >/dev/null 2>&1 &)');
      const answer = await pod.ssh('for i in $(seq 100); do python3 -c "import urllib.request as u; print(u.urlopen(\'http://127.0.0.1:8888/result.txt\').read())" 2>/dev/null && break; sleep 0.05; done');
      assert.equal(answer, "b'saved\\n'\n");
      const direct = await pod.machine.connect(8888);
      direct.write('GET /result.txt HTTP/1.0\r\n\r\n');
      let text = '';
      for await (const chunk of direct) text += String(chunk);
      assert.match(text, /saved\n$/);
    });

    it('lets nobody else in', async () => {
      await assert.rejects(run('ssh', [...(await pod.client()).filter((word) => word !== '-i' && word !== center.key.path), '-p', String(pod.port.port), `root@${pod.port.host}`, 'true']), /Permission denied \(publickey/);
    });

    it('has ten sessions a connection', async () => {
      const { Client } = await import('ssh2');
      const client = new Client();
      client.connect({ host: pod.port.host, port: pod.port.port, username: 'root', privateKey: await readFile(center.key.path) });
      await once(client, 'ready');
      const open = (): Promise<boolean> => new Promise((resolve) => client.shell((error) => resolve(error === undefined || error === null)));
      const opened: boolean[] = [];
      for (let i = 0; i < 11; i++) opened.push(await open());
      assert.deepEqual(opened, [...Array<boolean>(10).fill(true), false]);
      client.end();
    });

    it('refuses for as long as it is told', async () => {
      const slow = await center.start({ sshDelayMs: 700 });
      await slow.logged(/ready to use/);
      await assert.rejects(slow.machine.connect(22), /Nothing listens/);
      assert.equal(await slow.ssh('echo up'), 'up\n');
      await slow.machine.stop();
    });
  });

  describe('its network', () => {
    it('is its own: two pods use one port, and neither reaches the machine’s', async () => {
      const other = await center.start();
      const serve = `python3 -c "
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', 9000)); s.listen()
c, _ = s.accept(); c.sendall(socket.gethostname().encode()); c.close()"`;
      const ask = async (from: Pod): Promise<string> => {
        const serving = from.run(serve);
        for (let i = 0; i < 200; i++) {
          const stream = await from.machine.connect(9000).catch(() => sleep(20));
          if (stream === undefined) continue;
          let text = '';
          for await (const chunk of stream) text += String(chunk);
          await serving;
          return text;
        }
        return 'no answer';
      };
      assert.deepEqual(await Promise.all([ask(pod), ask(other)]), ['host-pod1', `${(await other.run('hostname')).trim()}`]);
      const local = http.createServer((_request, response) => response.end('the machine'));
      await new Promise<void>((resolve) => local.listen(0, '127.0.0.1', resolve));
      const { port } = local.address() as AddressInfo;
      assert.match(await pod.run(`python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:${port}')" 2>&1`), /refused/);
      local.close();
      await other.machine.stop();
    });

    it('reaches the API at the address that clients use', async () => {
      const api = http.createServer((request, response) => response.end(`${request.method} ${request.url} ${request.headers.authorization}`));
      await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
      const { port } = api.address() as AddressInfo;
      const guarded = await center.start({ apiPort: port });
      const call = `python3 -c "import urllib.request as u; print(u.urlopen(u.Request('http://127.0.0.1:${port}/v2/pods', headers={'Authorization': 'Bearer pod-key'})).read().decode())"`;
      assert.equal(await guarded.ssh(call), 'GET /v2/pods Bearer pod-key\n');
      await guarded.machine.stop();
      api.close();
      api.closeAllConnections();
    });
  });

  describe('its life', () => {
    it('runs a stored start command in place of the script, with the pod’s environment', async () => {
      const custom = await center.start({ args: `bash -c 'echo "model $MODEL as $$"; sleep infinity'` });
      assert.equal(await custom.logged(/^model/), 'model llama-ft as 1');
      assert.ok(!custom.log.includes('Pod Started'));
      await assert.rejects(custom.machine.connect(22));
      await custom.machine.stop();
    });

    it('starts a command that ends again, on the same container disk', async () => {
      const looping = await center.start({ args: `sh -c 'echo x >>/root/starts; echo start $(wc -l </root/starts); [ $(wc -l </root/starts) -lt 3 ] || sleep infinity'` });
      await looping.logged(/^start 3$/);
      assert.equal(looping.machine.restarts, 2);
      await looping.machine.stop();
    });

    it('starts a command that does not exist again and again, and says so', async () => {
      const broken = await center.start({ args: 'no-such-program' });
      await broken.logged(/no-such-program/);
      while (broken.machine.restarts < 2) await sleep(10);
      await broken.machine.stop();
    });

    it('loses its container disk and its host keys by a restart, and keeps its volume', async () => {
      const restarted = await center.start();
      await restarted.logged(/ready to use/);
      await restarted.ssh('touch /root/gone /usr/local/bin/gone /etc/gone /tmp/gone /workspace/kept');
      const before = restarted.log.filter((line) => line.includes('SHA256:'));
      restarted.log.length = 0;
      await restarted.machine.restart();
      await restarted.logged(/ready to use/);
      assert.equal(await restarted.ssh('ls -d /root/gone /usr/local/bin/gone /etc/gone /tmp/gone /workspace/kept 2>/dev/null || true'), '/workspace/kept\n');
      const now = restarted.log.filter((line) => line.includes('SHA256:'));
      assert.equal(now.length, 6);
      assert.deepEqual(now.filter((line) => before.includes(line)), []);
      await restarted.machine.stop();
    });

    it('leaves nothing when stopped, whatever ran in it', async () => {
      const marker = `marker-${process.pid}-${Date.now()}`;
      const stopped = await center.start({ env: { PUBLIC_KEY: center.key.publicKey, MARKER: marker } });
      await stopped.ssh(`setsid python3 -c "import time; time.sleep(1000)" ${marker} >/dev/null 2>&1 </dev/null & echo`);
      const running = stopped.run('sleep 1000');
      assert.notDeepEqual(await tracesOf(marker), []);
      await stopped.machine.stop();
      await running;
      assert.deepEqual(await tracesOf(marker), []);
      assert.deepEqual(await tracesOf(stopped.volumeDir), []);
      await assert.rejects(stopped.machine.connect(22), /not running/);
      assert.throws(() => stopped.machine.exec(['true']), /not running/);
      await stopped.machine.stop();
    });

    it('leaves nothing when it is stopped while it starts', async () => {
      const marker = `marker-${process.pid}-${Date.now()}`;
      const other = await Fixture.open();
      const starting = Promise.all([1, 2].map(() => other.host.start(other.spec({ volumeDir: undefined, env: { MARKER: marker } }), () => undefined)));
      await Promise.all([assert.rejects(starting, /Stopped while it started/), other.close()]);
      assert.deepEqual(await tracesOf(marker), []);
      assert.deepEqual(await tracesOf(other.dir), []);
    });

    it('leaves nothing when the simulator is killed', async () => {
      const marker = `marker-${process.pid}-${Date.now()}`;
      const stateDir = path.join(center.dir, `killed-${marker}`);
      await mkdir(path.join(stateDir, 'volume'), { recursive: true });
      const spec = center.spec({ env: { PUBLIC_KEY: center.key.publicKey, MARKER: marker }, volumeDir: path.join(stateDir, 'volume') });
      const script = path.join(center.dir, 'starter.ts');
      await writeFile(
        script,
        `import { createMachineHost } from ${JSON.stringify(path.join(__dirname, 'host.ts'))};
        void (async () => {
          const host = await createMachineHost({ stateDir: ${JSON.stringify(stateDir)} });
          const machine = await host.start(${JSON.stringify(spec)}, (_source, line) => line.includes('ready to use') && console.log('up'));
          machine.exec(['sleep', '1000']);
        })();`,
      );
      const child = spawn(process.execPath, ['--import', require.resolve('tsx'), script], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      assert.ok((await tracesOf(stateDir)).length > 1);
      assert.ok((await tracesOf(marker)).length > 2);
      child.kill('SIGKILL');
      await once(child, 'close');
      for (let i = 0; i < 3000 && (await tracesOf(stateDir)).length + (await tracesOf(marker)).length > 0; i++) await sleep(10);
      assert.deepEqual(await tracesOf(stateDir), []);
      assert.deepEqual(await tracesOf(marker), []);
    });

    it('starts quickly, also several at once', async () => {
      const started = performance.now();
      const one = await center.start();
      const alone = performance.now() - started;
      const four = await Promise.all([1, 2, 3, 4].map(() => center.start()));
      assert.deepEqual(await Promise.all(four.map((each) => each.ssh('hostname'))), await Promise.all(four.map((each) => each.run('hostname'))));
      await Promise.all([one, ...four].map((each) => each.machine.stop()));
      // Typically a quarter of a second; the bound is for a busy machine.
      assert.ok(alone < 5000, `a start took ${alone} ms`);
    });

    it('refuses a start command that is no shell words', async () => {
      await assert.rejects(center.start({ args: 'bash -c "open' }), RangeError);
    });

    it('says what is wrong when it cannot start', async () => {
      await assert.rejects(center.host.start(center.spec({ volumeDir: path.join(center.dir, 'missing') }), () => undefined), /did not start: .*missing/);
    });
  });

  describe('its disks', () => {
    it('ends the volume where the quota ends, and keeps what fits', async () => {
      const limited = await center.start({ networkVolume: true, volumeQuotaBytes: 4 << 20 });
      assert.equal(await limited.ssh('head -c 2000000 /dev/zero >/workspace/fits; echo $?'), '0\n');
      assert.match(await limited.ssh('head -c 4000000 /dev/zero >/workspace/too-large 2>&1; echo; rm /workspace/too-large; mkdir /workspace/empty; ls /workspace'), /empty\nfits\n/);
      assert.match(await limited.run('head -c 4000000 /dev/zero >/workspace/too-large'), /No space left on device/);
      await limited.run('rm /workspace/too-large');
      await limited.machine.stop();
      assert.deepEqual(await readdir(limited.volumeDir), ['empty', 'fits']);
    });

    it('keeps what a limited volume holds up to date on the machine', async () => {
      const limited = await center.start({ volumeQuotaBytes: 4 << 20 });
      await limited.run('echo now >/workspace/now');
      for (let i = 0; i < 3000 && !existsSync(path.join(limited.volumeDir, 'now')); i++) await sleep(20);
      assert.equal(await readFile(path.join(limited.volumeDir, 'now'), 'utf8'), 'now\n');
      await limited.machine.stop();
    });

    it('gets full at once when told, and has room again', async () => {
      const full = await center.start({ volumeQuotaBytes: 16 << 20 });
      await full.client();
      for (const [disk, file] of [['container', '/root/file'], ['volume', '/workspace/file']] as const) {
        await full.machine.fill(disk);
        assert.match(await full.run(`head -c 100 /etc/profile >${file}`), /No space left on device/);
        await full.machine.release(disk);
        assert.equal(await full.run(`echo some text >${file}; cat ${file}`), 'some text\n');
        await full.machine.fill(disk, 1 << 20);
        assert.match(await full.run(`head -c 500000 /dev/zero >${file}; head -c 2000000 /dev/zero >${file}`), /^[^\n]*No space left on device\n$/);
      }
      await full.machine.stop();
    });

    it('cannot fill a volume that is as large as the machine’s disk', async () => {
      await assert.rejects(pod.machine.fill('volume'), /quota/);
    });

    it('lies about a network volume as the real one does', async () => {
      const lying = await center.start({ networkVolume: true });
      assert.match(await lying.run('df -h /workspace'), /mfs#euro-1\.runpod\.net:9421 +300T +\d+T +\d+T +62% \/workspace/);
      assert.match(await lying.run('df -P -k'), /mfs#\S+ 322122547200 \d+ \d+ 62% \/workspace/);
      assert.match(await lying.run('cd /workspace && df -B1 --output=size,avail .'), /329853488332800 \d+/);
      assert.doesNotMatch(await lying.run('df -h /tmp'), /mfs/);
      assert.doesNotMatch(await pod.run('df -h'), /mfs/);
      await lying.machine.stop();
    });
  });

  describe('images of other kinds', () => {
    const start = (image: ImageKind, args = ''): Promise<Pod> => center.start({ image, args });

    it('ENTRYPOINT swallows the start command', async () => {
      const entrypoint = await start('entrypoint', 'python train.py');
      assert.equal(await entrypoint.logged(/^entrypoint/), 'entrypoint: ignoring arguments: python train.py');
      assert.equal(await entrypoint.ssh('echo in'), 'in\n');
      await entrypoint.machine.stop();
    });

    it('no sshd: nothing listens, nothing is printed', async () => {
      const app = await start('no-sshd');
      await app.logged(/Listening/);
      await assert.rejects(app.machine.connect(22), /Nothing listens/);
      assert.ok(!app.log.some((line) => line.includes('SHA256')));
      await app.machine.stop();
    });

    it('no fingerprints: sshd all the same', async () => {
      const silent = await start('no-fingerprints');
      assert.equal(await silent.ssh('echo in'), 'in\n');
      assert.ok(!silent.log.some((line) => line.includes('SHA256')));
      await silent.machine.stop();
    });

    it('BusyBox: its tools alone, sh, SFTP', async () => {
      const small = await center.start({ image: 'busybox', networkVolume: true });
      assert.equal(await small.ssh('for name in bash python3 tar rsync perl stat; do command -v $name; done; echo $0'), '/bin/tar\n/bin/stat\nsh\n');
      assert.match(await small.ssh('ls --version 2>&1; readlink -f $(command -v ls)'), /busybox/);
      const batch = path.join(center.dir, 'batch-small');
      await writeFile(batch, `put ${center.key.path}.pub /workspace/key\n`);
      await run('sftp', [...(await small.client()), '-P', String(small.port.port), '-b', batch, `root@${small.port.host}`]);
      assert.deepEqual(await readdir(small.volumeDir), ['key']);
      assert.match(await small.run('df -h /workspace; nvidia-smi -L; cat /etc/rp_environment'), /mfs#[\s\S]*GPU 0[\s\S]*export MODEL="llama-ft"/);
      await small.logged(/ED25519 key fingerprint/);
      await small.machine.stop();
    });
  });

  it('runs commands for the platform: as root, with the pod’s environment and what is added, and their status', async () => {
    assert.match(await pod.run('echo $MODEL $EXTRA $HOME $(whoami)', { EXTRA: 'more' }), /^llama-ft more \/root root\n$/);
    const child = pod.machine.exec(['sh', '-c', 'cat; exit 3']);
    child.stdin?.end('through');
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    assert.deepEqual([code, out], [3, 'through']);
  });
});
