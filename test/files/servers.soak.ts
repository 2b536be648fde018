import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { isFileError } from '../../src/files/errors';
import { Reply, Request } from '../../src/files/wire';
import { contractOf } from './contract';
import type { Tamper } from './pipeHost';
import { podOf, type TestPod } from './pod';
import { startDropbear, startLockedIn, startSsh2Server } from './servers';

/** Root, where it may make namespaces; other machines cannot have these servers. */
function mayIsolate(): boolean {
  try {
    execFileSync('unshare', ['--mount', '--pid', '--fork', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
};
const number = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};

/** Announces what nobody knows, beside what it can. */
const boasting: Tamper = (packet) => (packet[0] === Reply.Version ? Buffer.concat([packet, text('teleport@example.com'), text(Buffer.alloc(20_000, 'v')), text(''), text('')]) : packet);
/** Never reads as much as it is asked to. */
const stingy = (): Tamper => {
  let n = 0;
  return (packet) => {
    const asked = packet.readUInt32BE(packet.length - 4);
    if (packet[0] === Request.Read) packet.writeUInt32BE(Math.min(asked, 1 + ((n++ * 7919) % 60_000)), packet.length - 4);
    return packet;
  };
};

if (mayIsolate()) {
  contractOf({ title: 'OpenSSH locked into a folder', shell: false, wholeMachine: false, start: () => podOf(startLockedIn) });
  contractOf({ title: 'dropbear', shell: true, wholeMachine: true, start: () => podOf(startDropbear) });
}
contractOf({ title: 'a server that boasts and gives little at a time', shell: true, wholeMachine: true, start: () => podOf(() => startSsh2Server({ down: () => boasting, up: stingy })) });

describe('files of a server with odd answers', function () {
  this.timeout(30_000);
  let pod: TestPod;
  const use = async (down: () => Tamper): Promise<void> => {
    pod = await podOf(() => startSsh2Server({ down }), { silenceMs: 1_000 });
  };
  afterEach(() => pod.stop());

  it('a name of 200,000 bytes is listed; names that would lead elsewhere are not', async () => {
    const names = ['x'.repeat(200_000), '../../etc/passwd', 'a/b', '', '..', '/'];
    let told = false;
    await use(() => (packet) => {
      if (packet[0] !== Reply.Name || told) return packet;
      told = true;
      const count = packet.readUInt32BE(5);
      return Buffer.concat([packet.subarray(0, 5), number(count + names.length), packet.subarray(9), ...names.flatMap((name) => [text(name), text(Buffer.alloc(5_000, '-')), number(0)])]);
    });
    await fs.writeFile(pod.at('train.py'), 'x');
    const listed = (await pod.files.list(pod.dir)).map(({ name }) => name);
    assert.deepEqual(listed.map((name) => (name.length > 100 ? name.length : name)).sort(), [200_000, 'train.py'].sort());
    // No path can be that long, so the server does not take the question; what else there is goes on.
    await assert.rejects(pod.files.stat(pod.at('y'.repeat(200_000))), (error) => isFileError(error));
    assert.equal((await pod.files.stat(pod.at('train.py'))).size, 1);
  });

  it('replies with numbers of their own are nobody’s, and hurt nobody', async () => {
    let n = 0;
    await use(() => (packet) => {
      // Instead of every tenth READ's data: the same to a number that was never given; the reader waits in vain, and asks again.
      if (packet[0] === Reply.Data && ++n % 10 === 0 && n < 15) packet.writeUInt32BE(0xfffffff0, 1);
      return packet;
    });
    const content = Buffer.alloc(5_000_000, 'weights');
    await fs.writeFile(pod.at('f'), content);
    assert.ok(Buffer.from(await pod.files.readFile(pod.at('f'))).equals(content));
  });
});
