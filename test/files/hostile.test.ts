import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { isFileError } from '../../src/files/errors';
import { PodFiles } from '../../src/files/pod/podFiles';
import { Reply } from '../../src/files/wire';
import { PipeHost, type PipeHostOptions } from './pipeHost';

const replace = { create: true, overwrite: true };
const isRoot = process.getuid?.() === 0;

describe('files of a server that means no good, and two windows at once', () => {
  let dir: string;
  let ends: (() => void)[];

  beforeEach(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-files-'));
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends) end();
    await fs.rm(dir, { recursive: true, force: true });
  });

  const at = (name: string): string => `${dir}/${name}`;
  function use(how: PipeHostOptions = {}): { files: PodFiles; host: PipeHost } {
    const host = new PipeHost(how);
    const files = new PodFiles(host, { silenceMs: 2_000 });
    ends.push(() => files.dispose(), () => host.end());
    return { files, host };
  }
  const string = (text: string | Buffer): Buffer => {
    const bytes = Buffer.from(text as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  /** A NAME reply to the same request. */
  const names = (reply: Buffer, ...all: readonly string[]): Buffer => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(all.length);
    return Buffer.concat([Buffer.from([Reply.Name]), reply.subarray(1, 5), count, ...all.flatMap((name) => [string(name), string(''), Buffer.alloc(4)])]);
  };

  it('leaves no channel open behind a greeting that is nonsense', async () => {
    const { files, host } = use({ down: (packet) => (packet[0] === Reply.Version ? Buffer.concat([packet.subarray(0, 5), Buffer.from([0, 0, 0, 9, 1])]) : packet) });
    for (let i = 0; i < 3; i++) await assert.rejects(files.stat(dir), (error) => isFileError(error, 'unavailable'));
    for (const end = Date.now() + 10_000; host.running > 0 && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(host.running, 0);
  });

  it('shows no name that no path can hold', async () => {
    await fs.writeFile(at('real'), '');
    const { files } = use(onlyOnce((packet) => names(packet, 'real', '.', '..', '', 'a/b', '../../etc/passwd', 'nul\0nul', '/')));
    assert.deepEqual((await files.list(dir)).map(({ name }) => name), ['real']);
  });

  it('ends a listing that has no end', async () => {
    const many = Array.from({ length: 2_000 }, (_, i) => `some-longer-name-of-a-file-${i}`);
    for (const all of [many, []]) {
      const { files } = use({ down: (packet) => (isEndOrNames(packet) ? names(packet, ...all) : packet) });
      await assert.rejects(files.list(dir), (error) => isFileError(error, 'too-large', 'unavailable', 'failure'));
    }
  });

  /** The tools that a save in place needs, for a PATH. @param missing those that the pod's image lacks */
  async function tools(...missing: readonly string[]): Promise<string> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-tools-'));
    ends.push(() => void execFileSync('rm', ['-rf', folder]));
    for (const name of ['sh', 'mktemp', 'cat', 'wc', 'rm', 'sync', 'flock', 'ls', 'ln', 'readlink', 'sleep', 'test', 'stat', 'id', 'mkdir'])
      if (!missing.includes(name)) await fs.symlink(execFileSync('sh', ['-c', `command -v -p ${name} || printf /usr/bin/${name}`]).toString().trim(), path.join(folder, name)).catch(() => undefined);
    return folder;
  }

  for (const lock of ['with', 'without'] as const)
    it(`of two windows that save the same file at once, one version is there, whole, however it is saved, ${lock} flock`, async () => {
      const how = { path: await tools(...(lock === 'with' ? [] : ['flock'])) };
      const windows = [use(how).files, use(how).files];
      const versions = ['a', 'b'].map((letter) => Buffer.alloc(12_000_000, letter));
      await fs.writeFile(at('f'), 'old');
      await fs.writeFile(at('g'), 'old');
      // A second name makes a save go into the file itself.
      await fs.link(at('g'), at('h'));
      for (const name of lock === 'with' ? ['f', 'g'] : ['g'])
        for (let round = 0; round < 4; round++) {
          await Promise.all(windows.map((files, i) => files.writeFile(at(name), versions[i] ?? Buffer.alloc(0), replace)));
          const now = await fs.readFile(at(name));
          assert.ok(versions.some((version) => version.equals(now)), `${name}: ${now.length} bytes, ${[...new Set(now.toString('latin1'))].join('')}`);
        }
      assert.deepEqual((await fs.readdir(dir)).sort(), ['f', 'g', 'h']);
    });

  it('a save in place does not wait for one whose process is gone', async () => {
    const { files } = use({ path: await tools('flock') });
    await fs.writeFile(at('g'), 'old');
    await fs.link(at('g'), at('h'));
    const gone = spawnSync('true').pid;
    const { ino } = await fs.stat(at('g'));
    const lock = `/tmp/.runpod-save-${ino}`;
    await fs.symlink(String(gone), lock);
    const began = Date.now();
    await files.writeFile(at('g'), Buffer.from('new'), replace);
    assert.ok(Date.now() - began < 20_000);
    assert.equal(await fs.readFile(at('h'), 'utf8'), 'new');
    await assert.rejects(fs.lstat(lock), /ENOENT/);
  });

  if (isRoot)
    it('keeps the old content, and leaves nothing, with the disk full at any byte', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir]);
      try {
        const { files } = use();
        const old = Buffer.alloc(9_000, 'o');
        await fs.writeFile(at('f'), old);
        let saved = 0;
        let refused = 0;
        for (let pages = 0; pages <= 8; pages++) {
          await fs.rm(at('fill'), { force: true });
          await fs.writeFile(at('f'), old);
          execFileSync('sh', ['-c', `dd if=/dev/zero of=${at('fill')} bs=4096 count=1000 2>/dev/null; truncate -s -${pages * 4096} ${at('fill')}`]);
          const content = Buffer.alloc(20_000, `${pages}`);
          const fate = await files.writeFile(at('f'), content, replace).then(() => 'saved', (error: unknown) => {
            assert.ok(isFileError(error, 'no-space'), String(error));
            return 'refused';
          });
          if (fate === 'saved') saved++;
          else refused++;
          assert.ok((await fs.readFile(at('f'))).equals(fate === 'saved' ? content : old), `${pages} pages free: ${fate}`);
          assert.deepEqual((await fs.readdir(dir)).sort(), ['f', 'fill']);
        }
        assert.ok(saved > 0 && refused > 0, `${saved} ${refused}`);
      } finally {
        for (const end of ends.splice(0)) end();
        execFileSync('umount', ['-l', dir]);
      }
    });
});

const isEndOrNames = (packet: Buffer): boolean => packet[0] === Reply.Name || (packet[0] === Reply.Status && packet.readUInt32BE(5) === 1);

/** Changes the first NAME reply; the others pass. */
function onlyOnce(change: (packet: Buffer) => Buffer): PipeHostOptions {
  let done = false;
  return {
    down: (packet) => {
      if (packet[0] !== Reply.Name || done) return packet;
      done = true;
      return change(packet);
    },
  };
}
