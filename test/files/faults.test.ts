import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { type FileErrorCode, isFileError } from '../../src/files/errors';
import { PodFiles, type PodFilesOptions } from '../../src/files/pod/podFiles';
import { Reply, Request } from '../../src/files/wire';
import { PipeHost, type PipeHostOptions } from './pipeHost';
import { startPod, type TestPod } from './pod';
import { savesUnderCuts } from './savesUnderCuts';

const replace = { create: true, overwrite: true };
const isRoot = process.getuid?.() === 0;
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', os.tmpdir()], { stdio: 'ignore' });
    return isRoot;
  } catch {
    return false;
  }
}
const refused =
  (...codes: FileErrorCode[]) =>
  (error: unknown): boolean => {
    assert.ok(isFileError(error), String(error));
    assert.ok(codes.includes(error.code), `${error.code} instead of ${codes.join(' or ')}: ${error.message}`);
    return true;
  };

describe('files over a link that fails', () => {
  let pod: TestPod;

  beforeEach(async () => {
    pod = await startPod({ files: { silenceMs: 800, openMs: 3_000 } });
  });
  afterEach(() => pod.stop());

  it('never acknowledges a save that is not whole, and never loses the old content (150 saves cut at random bytes)', async function () {
    this.timeout(300_000);
    const outcome = await savesUnderCuts(pod, 150, 1);
    assert.ok(outcome.acknowledged > 20 && outcome.refused > 20 && outcome.cuts > 80, JSON.stringify(outcome));
  });

  it('reads again on a new connection after a drop', async () => {
    await fs.writeFile(pod.at('f'), 'content');
    await pod.files.readFile(pod.at('f'));
    pod.link.cut();
    assert.equal(Buffer.from(await pod.files.readFile(pod.at('f'))).toString(), 'content');
    await fs.writeFile(pod.at('big'), Buffer.alloc(30_000_000, 'b'));
    pod.link.shape({ cutAfterBytesDown: 12_000_000 });
    pod.host.onDown(() => pod.link.shape({}));
    assert.ok(Buffer.from(await pod.files.readFile(pod.at('big'))).equals(Buffer.alloc(30_000_000, 'b')));
    assert.equal(pod.host.connections, 3);
  });

  it('tells within its deadline that a silent pod does not answer', async () => {
    await fs.writeFile(pod.at('f'), 'content');
    await pod.files.readFile(pod.at('f'));
    pod.link.shape({ fault: 'stall' });
    const started = performance.now();
    const answers = await Promise.allSettled([pod.files.stat(pod.at('f')), pod.files.readFile(pod.at('f')), pod.files.list(pod.dir), pod.files.writeFile(pod.at('f'), Buffer.from('new'), replace)]);
    for (const answer of answers) assert.ok(answer.status === 'rejected' && refused('unavailable')(answer.reason));
    assert.ok(performance.now() - started < 15_000);
    assert.equal(await fs.readFile(pod.at('f'), 'utf8'), 'content');
  });

  it('fails at once when the pod cannot be reached, and works again when it can', async () => {
    await fs.writeFile(pod.at('f'), 'content');
    pod.link.shape({ fault: 'refuse' });
    await assert.rejects(pod.files.stat(pod.at('f')), refused('unavailable'));
    pod.link.shape({});
    assert.equal((await pod.files.stat(pod.at('f'))).size, 7);
  });

  it('does not delete, rename or copy twice', async () => {
    await fs.mkdir(pod.at('d'));
    await pod.files.stat(pod.at('d'));
    pod.link.shape({ cutAfterBytesDown: 1 });
    pod.host.onDown(() => pod.link.shape({}));
    await assert.rejects(pod.files.rename(pod.at('d'), pod.at('e'), { overwrite: false }), refused('unavailable'));
    assert.equal(pod.host.connections, 1);
  });
});

describe('files of a server that misbehaves', () => {
  let dir: string;
  let host: PipeHost | undefined;
  let files: PodFiles | undefined;

  beforeEach(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-files-'));
    await fs.chmod(dir, 0o755);
  });
  afterEach(async () => {
    files?.dispose();
    host?.end();
    await fs.rm(dir, { recursive: true, force: true });
  });

  const at = (name: string): string => `${dir}/${name}`;
  const use = (how: PipeHostOptions, options: PodFilesOptions = {}): PodFiles => {
    host = new PipeHost(how);
    files = new PodFiles(host, { silenceMs: 500, ...options });
    return files;
  };
  const failure = (request: Buffer, status = 4): Buffer => {
    const reply = Buffer.alloc(1 + 4 + 4 + 4 + 4);
    reply[0] = Reply.Status;
    request.copy(reply, 1, 1, 5);
    reply.writeUInt32BE(status, 5);
    return reply;
  };
  const noTempLeft = async (): Promise<void> => assert.deepEqual((await fs.readdir(dir)).filter((name) => name.startsWith('.runpod-')), []);

  /** Requests of one type whose reply becomes a refusal. */
  const refuseReplies = (type: number, status = 4, skip = 0): PipeHostOptions => {
    const ids = new Set<number>();
    let seen = 0;
    return {
      up: (packet) => {
        if (packet[0] === type && seen++ >= skip) ids.add(packet.readUInt32BE(1));
        return packet;
      },
      down: (packet) => (packet.length >= 5 && packet[0] !== Reply.Version && ids.delete(packet.readUInt32BE(1)) ? failure(packet, status) : packet),
    };
  };

  for (const [what, type] of [['a WRITE', Request.Write], ['the CLOSE', Request.Close], ['the FSTAT', Request.Fstat]] as const)
    it(`refuses the save and keeps the old content when ${what} is refused`, async () => {
      const pod = use(refuseReplies(type));
      await fs.writeFile(at('f'), 'old');
      await assert.rejects(pod.writeFile(at('f'), Buffer.alloc(600_000), replace), refused('failure'));
      assert.equal(await fs.readFile(at('f'), 'utf8'), 'old');
      await noTempLeft();
    });

  it('names the quota of a volume, which SFTP calls a failure and statvfs does not show', async () => {
    const tools = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-tools-'));
    try {
      await fs.writeFile(path.join(tools, 'head'), `#!/bin/sh\necho "head: error writing 'standard output': Disk quota exceeded" >&2\nexit 1\n`, { mode: 0o755 });
      const pod = use({ ...refuseReplies(Request.Write), path: `${tools}:$PATH` });
      await fs.writeFile(at('f'), 'old');
      await assert.rejects(pod.writeFile(at('f'), Buffer.from('new'), replace), (error: unknown) => refused('no-space')(error) && isFileError(error) && /Disk quota exceeded/.test(error.detail));
      assert.equal(await fs.readFile(at('f'), 'utf8'), 'old');
      await noTempLeft();
    } finally {
      await fs.rm(tools, { recursive: true });
    }
  });

  it('refuses the save when a late WRITE of a big file is refused', async () => {
    const pod = use(refuseReplies(Request.Write, 4, 37));
    await fs.writeFile(at('f'), 'old');
    await assert.rejects(pod.writeFile(at('f'), Buffer.alloc(12_000_000), replace), refused('failure'));
    assert.equal(await fs.readFile(at('f'), 'utf8'), 'old');
    await noTempLeft();
  });

  it('ends each call when one kind of request is never answered', async () => {
    for (const type of [Request.Stat, Request.Open, Request.Read, Request.Readdir]) {
      const ids = new Set<number>();
      const pod = use({ up: (p) => (p[0] === type ? (ids.add(p.readUInt32BE(1)), p) : p), down: (p) => (p.length >= 5 && ids.has(p.readUInt32BE(1)) ? undefined : p) });
      await fs.writeFile(at('f'), 'content');
      await assert.rejects(type === Request.Readdir ? pod.list(dir) : type === Request.Stat ? pod.stat(at('f')) : pod.readFile(at('f')), refused('unavailable'));
      pod.dispose();
      host?.end();
    }
  });

  it('is not misled by replies with a number of their own', async () => {
    const pod = use({
      down: (packet) => {
        if (packet[0] === Reply.Data) packet.writeUInt32BE(0xfffffff0, 1);
        return packet;
      },
    });
    await fs.writeFile(at('f'), 'content');
    await assert.rejects(pod.readFile(at('f')), refused('unavailable'));
  });

  it('is not misled by a reply of another kind, a cut one, or a giant', async () => {
    await fs.writeFile(at('f'), 'content');
    const tampers: ((packet: Buffer) => Buffer)[] = [
      (p) => (p[0] === Reply.Attrs ? Buffer.concat([Buffer.from([Reply.Data]), p.subarray(1)]) : p),
      (p) => (p[0] === Reply.Attrs ? p.subarray(0, 12) : p),
      (p) => (p[0] === Reply.Attrs ? Buffer.alloc(5_000_000) : p),
      (p) => (p[0] === Reply.Data ? Buffer.concat([p.subarray(0, 5), Buffer.from([0xff, 0xff, 0xff, 0xff])]) : p),
      (p) => (p[0] === Reply.Version ? Buffer.from([Reply.Version, 0, 0, 0, 2]) : p),
      (p) => (p[0] === Reply.Version ? Buffer.from('bash: welcome') : p),
    ];
    for (const down of tampers) {
      const pod = use({ down });
      await assert.rejects(pod.readFile(at('f')), refused('unavailable'));
      pod.dispose();
      host?.end();
    }
  });

  it('reads whole files from a server that gives little at a time', async () => {
    const pod = use({
      up: (packet) => {
        if (packet[0] === Request.Read) packet.writeUInt32BE(Math.min(packet.readUInt32BE(packet.length - 4), 1000), packet.length - 4);
        return packet;
      },
    });
    const content = Buffer.alloc(300_000, 'abcdefghijklm');
    await fs.writeFile(at('f'), content);
    assert.ok(Buffer.from(await pod.readFile(at('f'))).equals(content));
  });

  describe('that has no extensions', () => {
    const bare: PipeHostOptions = { down: (packet) => (packet[0] === Reply.Version ? packet.subarray(0, 5) : packet) };

    for (const shell of [true, false])
      it(`saves, replaces, copies and deletes all the same, ${shell ? 'with' : 'without'} a shell`, async () => {
        const pod = use({ ...bare, shell });
        const content = Buffer.alloc(400_000, 'xyz');
        await pod.writeFile(at('f'), content, replace);
        await pod.writeFile(at('f'), content.subarray(1), replace);
        assert.ok((await fs.readFile(at('f'))).equals(content.subarray(1)));
        await fs.writeFile(at('g'), 'g');
        await pod.rename(at('f'), at('g'), { overwrite: true });
        await pod.copy(at('g'), at('h'), { overwrite: false });
        assert.ok(Buffer.from(await pod.readFile(at('h'))).equals(content.subarray(1)));
        await pod.delete(dir, { recursive: true });
        await assert.rejects(fs.stat(dir));
      });
  });

  describe('for a user who is not root', () => {
    const uid = isRoot ? 65_534 : undefined;
    const mine = async (name: string, content: string, mode = 0o644): Promise<void> => {
      await fs.writeFile(at(name), content);
      if (uid !== undefined) await fs.chown(at(name), uid, uid);
      await fs.chmod(at(name), mode);
    };
    const asUser = (shell = true): PodFiles => use({ shell, ...(uid === undefined ? {} : { uid }) });

    it('locks what that user cannot write, and refuses to save it', async () => {
      const pod = asUser();
      if (uid !== undefined) await fs.chown(dir, uid, uid);
      await mine('mine', 'old');
      await mine('locked', 'old', 0o444);
      assert.equal((await pod.stat(at('mine'))).readonly, false);
      assert.equal((await pod.stat(at('locked'))).readonly, true);
      await pod.list(dir);
      assert.equal((await pod.stat(at('locked'))).readonly, true);
      await assert.rejects(pod.writeFile(at('locked'), Buffer.from('new'), replace), refused('no-permission'));
      assert.equal(await fs.readFile(at('locked'), 'utf8'), 'old');
      await noTempLeft();
    });

    for (const shell of [true, false])
      it(`saves in place in a folder that is closed to that user, ${shell ? 'with' : 'without'} a shell`, async () => {
        const pod = asUser(shell);
        for (const [old, content] of [['a long old content', 'new'], ['old', 'a longer new content'], ['', 'x'], ['x', '']] as const) {
          await fs.chmod(dir, 0o755);
          await mine('f', old);
          const { ino } = await fs.stat(at('f'));
          await fs.chmod(dir, 0o555);
          await pod.writeFile(at('f'), Buffer.from(content), replace);
          assert.equal(await fs.readFile(at('f'), 'utf8'), content);
          assert.equal((await fs.stat(at('f'))).ino, ino);
        }
        await assert.rejects(pod.writeFile(at('new'), Buffer.from('x'), replace), refused('no-permission'));
        await assert.rejects(pod.delete(at('f'), { recursive: true }), refused('no-permission'));
        await assert.rejects(pod.createDirectory(at('d')), refused('no-permission'));
        await fs.chmod(dir, 0o755);
      });

    it("keeps another's file another's", async () => {
      if (uid === undefined) return;
      const pod = asUser();
      await fs.chown(dir, uid, uid);
      await fs.writeFile(at('f'), 'old');
      await fs.chmod(at('f'), 0o666);
      await pod.writeFile(at('f'), Buffer.from('new'), replace);
      const stat = await fs.stat(at('f'));
      assert.deepEqual([stat.uid, stat.mode & 0o777, await fs.readFile(at('f'), 'utf8')], [0, 0o666, 'new']);
      await noTempLeft();
    });
  });

  const onFullDisk = (): void => {
    beforeEach(() => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]));
    afterEach(() => void execFileSync('umount', ['-l', dir]));

    for (const shell of [true, false])
      it(`says so and keeps the old content, ${shell ? 'with' : 'without'} a shell`, async () => {
        const pod = use({ shell });
        await fs.writeFile(at('f'), 'old');
        await assert.rejects(pod.writeFile(at('f'), Buffer.alloc(2_000_000), replace), refused('no-space'));
        await assert.rejects(pod.writeFile(at('new'), Buffer.alloc(9_000_000), replace), refused('no-space'));
        assert.deepEqual(await fs.readdir(dir), ['f']);
        assert.equal(await fs.readFile(at('f'), 'utf8'), 'old');
        await fs.link(at('f'), at('g'));
        await assert.rejects(pod.writeFile(at('f'), Buffer.alloc(2_000_000), replace), refused('no-space'));
        assert.equal(await fs.readFile(at('g'), 'utf8'), 'old');
        await fs.mkdir(at('d'));
        await fs.writeFile(at('d/big'), Buffer.alloc(700_000));
        await assert.rejects(pod.copy(at('d'), at('e'), { overwrite: false }), refused('no-space', 'failure'));
        assert.deepEqual((await fs.readdir(dir)).sort(), ['d', 'f', 'g']);
      });

    it('moves to and from another disk', async () => {
      const pod = use({});
      const elsewhere = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-files-'));
      await fs.mkdir(at('d'));
      await fs.writeFile(at('d/f'), 'f');
      await pod.rename(at('d'), `${elsewhere}/d`, { overwrite: false });
      assert.equal(await fs.readFile(`${elsewhere}/d/f`, 'utf8'), 'f');
      await fs.mkdir(at('d'));
      await fs.writeFile(at('d/old'), 'old');
      await pod.rename(`${elsewhere}/d`, at('d'), { overwrite: true });
      assert.deepEqual(await fs.readdir(at('d')), ['f']);
      assert.deepEqual(await fs.readdir(elsewhere), []);
      await fs.rm(elsewhere, { recursive: true });
      await noTempLeft();
    });

    it('saves into a file that something is mounted upon', async () => {
      const pod = use({});
      await fs.writeFile(at('source'), 'old');
      await fs.writeFile(at('hosts'), '');
      execFileSync('mount', ['--bind', at('source'), at('hosts')]);
      try {
        await pod.writeFile(at('hosts'), Buffer.from('127.0.0.1 llama-ft'), replace);
        assert.equal(await fs.readFile(at('source'), 'utf8'), '127.0.0.1 llama-ft');
      } finally {
        execFileSync('umount', [at('hosts')]);
      }
      await noTempLeft();
    });
  };
  // Only root can mount a disk of a chosen size, and not everywhere.
  if (canMount()) describe('on a full disk', onFullDisk);
});
