import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { type FileErrorCode, isFileError } from '../../src/files/errors';
import type { TestPod } from './pod';

const text = (content: Uint8Array): string => Buffer.from(content).toString();
const refused =
  (...codes: FileErrorCode[]) =>
  (error: unknown): boolean => {
    assert.ok(isFileError(error), String(error));
    assert.ok(codes.includes(error.code), `${error.code} instead of ${codes.join(' or ')}: ${error.message}`);
    return true;
  };
const replace = { create: true, overwrite: true };

/** What differs from server to server. */
export interface Kind {
  readonly title: string;
  /** Commands can be run. */
  readonly shell: boolean;
  /** `/proc` and `/dev` are there; not so where SFTP is locked into a folder. */
  readonly wholeMachine: boolean;
  readonly start: () => Promise<TestPod>;
}

/** The same contract with every kind of server and account. */
export function contractOf({ title, shell, wholeMachine, start }: Kind): void {
  describe(`the files of a pod, ${title}`, function () {
    this.timeout(30_000);
    let pod: TestPod;
    let n = 0;
    /** A fresh folder for each test. */
    let dir: string;
    const at = (name: string): string => `${dir}/${name}`;

    before(async () => {
      pod = await start();
    });
    after(() => pod.stop());
    beforeEach(async () => {
      dir = pod.at(`t${n++}`);
      await fs.mkdir(dir);
    });

    const save = (name: string, content: string, flags = replace): Promise<{ created: boolean }> => pod.files.writeFile(at(name), Buffer.from(content), flags);
    const load = async (name: string): Promise<string> => text(await pod.files.readFile(at(name)));
    const leftovers = async (): Promise<string[]> => (await fs.readdir(dir)).filter((name) => name.startsWith('.runpod-'));

    describe('stat', () => {
      it('tells kind, exact size, time in milliseconds and mode', async () => {
        await fs.writeFile(at('f'), 'x'.repeat(70_001), { mode: 0o640 });
        await fs.utimes(at('f'), 1_700_000_000, 1_700_000_123);
        const stat = await pod.files.stat(at('f'));
        assert.deepEqual([stat.kind, stat.link, stat.size, stat.mtimeMs, stat.mode & 0o7777], ['file', false, 70_001, 1_700_000_123_000, 0o640]);
        assert.equal((await pod.files.stat(dir)).kind, 'directory');
      });

      it('follows links and says that they are some', async () => {
        await fs.mkdir(at('d'));
        await fs.writeFile(at('f'), 'four');
        for (const [target, name] of [['f', 'lf'], ['d', 'ld'], ['nowhere', 'dangling'], ['loop', 'loop']] as const) await fs.symlink(target, at(name));
        const kinds = async (name: string): Promise<unknown[]> => {
          const { kind, link } = await pod.files.stat(at(name));
          return [kind, link];
        };
        assert.deepEqual(await kinds('lf'), ['file', true]);
        assert.equal((await pod.files.stat(at('lf'))).size, 4);
        assert.deepEqual(await kinds('ld'), ['directory', true]);
        assert.deepEqual(await kinds('dangling'), ['link', true]);
        assert.deepEqual(await kinds('loop'), ['link', true]);
        const listed = Object.fromEntries((await pod.files.list(dir)).map((e) => [e.name, [e.kind, e.link]]));
        assert.deepEqual(listed, { d: ['directory', false], f: ['file', false], lf: ['file', true], ld: ['directory', true], dangling: ['link', true], loop: ['link', true] });
      });

      it('says what is not there', async () => {
        await fs.writeFile(at('f'), '');
        await assert.rejects(pod.files.stat(at('none')), refused('not-found'));
        await assert.rejects(pod.files.stat(at('f/none')), refused('not-found'));
        await assert.rejects(pod.files.list(at('none')), refused('not-found'));
        await assert.rejects(pod.files.list(at('f')), refused('not-a-directory'));
        await assert.rejects(pod.files.readFile(at('none')), refused('not-found'));
        await assert.rejects(pod.files.readFile(dir), refused('is-a-directory'));
      });

      it('asks the pod again about a file that has been read, however fresh the listing', async () => {
        await fs.writeFile(at('f'), 'one');
        await pod.files.readFile(at('f'));
        await pod.files.list(dir);
        await fs.writeFile(at('f'), 'three');
        assert.equal((await pod.files.stat(at('f'))).size, 5);
      });
    });

    describe('names', () => {
      const names = ['with space', "it's", '"quoted"', 'new\nline', '-rf', '--', '日本語', '🦙', 'e\u0301', 'back\\slash', '$HOME', '`id`', '*', '?', '~', '%41', '#', 'trailing ', '\t', '.hidden', "'; rm -rf .; '", 'x'.repeat(255)];

      for (const name of names)
        it(`takes ${JSON.stringify(name).slice(0, 30)} through every operation`, async () => {
          await save(name, 'content');
          assert.equal(await fs.readFile(at(name), 'utf8'), 'content');
          await save(name, 'changed');
          assert.equal(await load(name), 'changed');
          assert.deepEqual((await pod.files.list(dir)).map((e) => e.name), [name]);
          await pod.files.copy(at(name), at('copy'), { overwrite: false });
          await pod.files.rename(at('copy'), at('other'), { overwrite: false });
          assert.equal(await fs.readFile(at('other'), 'utf8'), 'changed');
          await pod.files.delete(at(name), { recursive: true });
          await pod.files.createDirectory(at(name));
          await pod.files.rename(at('other'), `${at(name)}/inside`, { overwrite: false });
          await pod.files.delete(at(name), { recursive: true });
          assert.deepEqual(await fs.readdir(dir), []);
        });

      it('lists, reads, saves, copies and deletes names that are not UTF-8, byte for byte', async () => {
        const raw = Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.from([0xe9, 0xff]), Buffer.from("'s\n")]);
        const beside = Buffer.from(`${dir}/caf\ufffd\ufffd's\n`);
        await fs.writeFile(raw, 'latin');
        await fs.writeFile(beside, 'innocent');
        const name = (await pod.files.list(dir)).map((e) => e.name).find((e) => !e.includes('\ufffd')) ?? '';
        assert.equal(await load(name), 'latin');
        await save(name, 'changed');
        assert.equal(await fs.readFile(raw, 'utf8'), 'changed');
        await pod.files.copy(at(name), `${at(name)}2`, { overwrite: false });
        await pod.files.rename(`${at(name)}2`, `${at(name)}3`, { overwrite: true });
        assert.equal(await fs.readFile(Buffer.concat([raw, Buffer.from('3')]), 'utf8'), 'changed');
        await pod.files.delete(at(name), { recursive: true });
        await pod.files.createDirectory(at(name));
        await save(`${name}/in`, 'in');
        await pod.files.delete(at(name), { recursive: true });
        assert.equal((await fs.readdir(dir)).length, 2);
        assert.equal(await fs.readFile(beside, 'utf8'), 'innocent');
      });

      it('refuses text that can be no name', async () => {
        await assert.rejects(save('a\0b', ''), refused('unsupported'));
        await assert.rejects(save('\ud800', ''), refused('unsupported'));
      });
    });

    describe('reading', () => {
      for (const size of [0, 1, 4096, 32_768, 261_119, 261_120, 261_121, 1_000_000, 9_000_001, 25_000_001])
        it(`gives ${size} bytes as they are`, async () => {
          const content = Buffer.alloc(size, 'the quick brown fox, ');
          await fs.writeFile(at('f'), content);
          assert.ok(Buffer.from(await pod.files.readFile(at('f'))).equals(content));
        });

      it('reads to the end what says it is empty', async () => {
        if (!wholeMachine) return;
        assert.match(text(await pod.files.readFile('/proc/meminfo')), /MemTotal[^]*\n$/);
        assert.equal(text(await pod.files.readFile('/proc/sys/kernel/ostype')), 'Linux\n');
      });

      it('refuses what is too large before pulling it, and what is no file', async () => {
        await fs.truncate(at('f')).catch(() => fs.writeFile(at('f'), ''));
        await fs.truncate(at('f'), 10_000_000_000);
        const { bytesDown } = pod.link.counts;
        await assert.rejects(pod.files.readFile(at('f'), { maxBytes: 50_000_000 }), refused('too-large'));
        assert.ok(pod.link.counts.bytesDown - bytesDown < 600_000);
        if (wholeMachine) await assert.rejects(pod.files.readFile('/dev/zero'), refused('unsupported'));
      });

      it('is not held up by a pipe that nobody writes to', async () => {
        execFileSync('mkfifo', [at('pipe')]);
        await fs.writeFile(at('f'), 'beside');
        const pipe = assert.rejects(pod.files.readFile(at('pipe')), refused('unsupported'));
        assert.equal(await load('f'), 'beside');
        await pipe;
        await assert.rejects(save('pipe', 'x'), refused('unsupported'));
        await pod.files.delete(at('pipe'), { recursive: false });
      });

      it('gives a consistent answer while the file grows and shrinks', async () => {
        await fs.writeFile(at('f'), 'x'.repeat(300_000));
        const file = await fs.open(at('f'), 'r+');
        let busy = true;
        const churn = (async (): Promise<void> => {
          for (let i = 0; busy; i++) {
            await file.truncate(100_000 + (i % 7) * 300_000);
            await file.write(Buffer.alloc(100_000, 'x'), 0, 100_000, 0);
            await new Promise((resolve) => setImmediate(resolve));
          }
        })();
        for (let i = 0; i < 30; i++) {
          const content = await pod.files.readFile(at('f'));
          assert.ok(content.length >= 100_000 && content.length <= 2_000_000, String(content.length));
        }
        busy = false;
        await churn;
        await file.close();
      });

      it('gives one version or the other, never a mix, while the file is replaced', async () => {
        const versions = [Buffer.alloc(20_000_000, 'a'), Buffer.alloc(20_000_000, 'b')] as const;
        await fs.writeFile(at('f'), versions[0]);
        let busy = true;
        const churn = (async (): Promise<void> => {
          for (let i = 1; busy; i++) {
            await fs.writeFile(at('next'), versions[i % 2 === 0 ? 0 : 1]);
            await fs.rename(at('next'), at('f'));
          }
        })();
        for (let i = 0; i < 8; i++) {
          const content = Buffer.from(await pod.files.readFile(at('f')));
          assert.ok(versions.some((v) => v.equals(content)), `a mix of ${content.length} bytes, ${content.indexOf(content[0] === 97 ? 'b' : 'a')}`);
        }
        busy = false;
        await churn;
      });

      it('can be cancelled', async () => {
        await fs.writeFile(at('f'), Buffer.alloc(20_000_000));
        const cancel = new AbortController();
        const read = pod.files.readFile(at('f'), { signal: cancel.signal });
        setTimeout(() => cancel.abort(), 5);
        await assert.rejects(read, { name: 'CancelledError' });
        assert.equal((await pod.files.readFile(at('f'))).length, 20_000_000);
      });
    });

    describe('saving', () => {
      it('honours create and overwrite', async () => {
        const flags = (create: boolean, overwrite: boolean) => ({ create, overwrite });
        for (const overwrite of [true, false]) await assert.rejects(save('new', 'x', flags(false, overwrite)), refused('not-found'));
        assert.deepEqual(await fs.readdir(dir), []);
        assert.deepEqual(await save('one', 'one', flags(true, false)), { created: true });
        assert.deepEqual(await save('two', 'two', flags(true, true)), { created: true });
        assert.deepEqual(await save('two', 'two', flags(true, true)), { created: false });
        await assert.rejects(save('one', 'x', flags(true, false)), refused('exists'));
        assert.equal(await load('one'), 'one');
        for (const [create, overwrite] of [[true, true], [false, true], [false, false]] as const) {
          await save('one', `${create}${overwrite}`, flags(create, overwrite));
          assert.equal(await load('one'), `${create}${overwrite}`);
        }
        await fs.mkdir(at('d'));
        for (const create of [true, false]) for (const overwrite of [true, false]) await assert.rejects(save('d', 'x', flags(create, overwrite)), refused('is-a-directory'));
        await assert.rejects(save('missing/f', 'x'), refused('not-found'));
        await assert.rejects(save('one/f', 'x'), refused('not-a-directory', 'not-found'));
        assert.deepEqual(await leftovers(), []);
      });

      it('two that both want to make the file: one is told that it exists', async () => {
        const results = await Promise.allSettled([save('f', 'a', { create: true, overwrite: false }), save('f', 'b', { create: true, overwrite: false })]);
        assert.deepEqual(results.map((r) => r.status).sort(), ['fulfilled', 'rejected']);
      });

      for (const size of [0, 1, 261_120, 261_121, 3_000_000, 12_345_678])
        it(`puts ${size} bytes in place`, async () => {
          const content = Buffer.alloc(size, '0123456789abc');
          await pod.files.writeFile(at('f'), content, replace);
          assert.ok((await fs.readFile(at('f'))).equals(content));
          await pod.files.writeFile(at('f'), content.subarray(0, size >> 1), replace);
          assert.ok((await fs.readFile(at('f'))).equals(content.subarray(0, size >> 1)));
          assert.deepEqual(await leftovers(), []);
        });

      it('keeps mode and owner, also set-user-id', async () => {
        for (const mode of [0o755, 0o600, 0o444, 0o4755, 0o2644]) {
          await fs.writeFile(at('f'), 'old');
          if (process.getuid?.() === 0) await fs.chown(at('f'), 1234, 4321);
          await fs.chmod(at('f'), mode);
          const before = await fs.stat(at('f'));
          if (process.getuid?.() !== 0 && (mode & 0o200) === 0) continue;
          await save('f', 'new');
          const after = await fs.stat(at('f'));
          assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
          await fs.rm(at('f'), { force: true });
        }
      });

      it('gives a new file the mode that the account gives its files', async () => {
        await save('new', 'x');
        assert.equal((await fs.stat(at('new'))).mode & 0o777, 0o644);
      });

      it('writes through a link and leaves it a link', async () => {
        await fs.mkdir(at('elsewhere'));
        await fs.writeFile(at('elsewhere/target'), 'old');
        await fs.symlink('elsewhere/target', at('link'));
        await fs.symlink('link', at('link2'));
        await save('link2', 'new');
        assert.ok((await fs.lstat(at('link2'))).isSymbolicLink() && (await fs.lstat(at('link'))).isSymbolicLink());
        assert.equal(await fs.readFile(at('elsewhere/target'), 'utf8'), 'new');
        await assert.rejects(save('link', 'x', { create: true, overwrite: false }), refused('exists'));
        await fs.symlink('elsewhere/fresh', at('dangling'));
        await save('dangling', 'made');
        assert.equal(await fs.readFile(at('elsewhere/fresh'), 'utf8'), 'made');
        await fs.symlink('loop', at('loop'));
        await assert.rejects(save('loop', 'x'), refused('failure'));
        assert.deepEqual(await leftovers(), []);
        assert.deepEqual((await fs.readdir(at('elsewhere'))).sort(), ['fresh', 'target']);
      });

      it('keeps the other names of a file', async function () {
        // Without a shell nobody can tell that there are any.
        if (!shell) return;
        await fs.writeFile(at('f'), 'a longer old content');
        await fs.link(at('f'), at('g'));
        await save('f', 'new');
        assert.equal(await fs.readFile(at('g'), 'utf8'), 'new');
        assert.equal((await fs.stat(at('f'))).nlink, 2);
        assert.deepEqual(await leftovers(), []);
      });

      it('says that the device is full, and does not touch it otherwise', async () => {
        if (!wholeMachine) return;
        await assert.rejects(pod.files.writeFile('/dev/full', Buffer.from('x'), replace), refused('failure', 'no-space'));
        await pod.files.writeFile('/dev/null', Buffer.from('x'), replace);
        assert.ok((await fs.stat('/dev/null')).isCharacterDevice());
      });

      it('the time of a save moves on', async () => {
        await fs.writeFile(at('f'), 'old');
        await fs.utimes(at('f'), 1_000_000_000, 1_000_000_000);
        await save('f', 'new');
        assert.ok(Math.abs((await pod.files.stat(at('f'))).mtimeMs - Date.now()) < 5_000);
      });

      it('are not seen half done in a listing', async () => {
        let busy = true;
        const saves = (async (): Promise<void> => {
          for (let i = 0; i < 10; i++) await pod.files.writeFile(at('f'), Buffer.alloc(2_000_000, String(i)), replace);
          busy = false;
        })();
        while (busy) for (const { name } of await pod.files.list(dir)) assert.equal(name, 'f');
        await saves;
      });

      it('many saves of one file end with the last, and one after the other', async () => {
        await Promise.all(Array.from({ length: 20 }, (_, i) => save('f', `${i}`.repeat(1000 * (20 - i)))));
        assert.equal(await load('f'), '19'.repeat(1000));
        assert.deepEqual(await leftovers(), []);
      });
    });

    describe('folders', () => {
      it('are made once, in a folder that is there', async () => {
        await pod.files.createDirectory(at('d'));
        await assert.rejects(pod.files.createDirectory(at('d')), refused('exists'));
        await assert.rejects(pod.files.createDirectory(at('no/d')), refused('not-found'));
        await save('f', '');
        await assert.rejects(pod.files.createDirectory(at('f')), refused('exists'));
        await assert.rejects(pod.files.createDirectory(at('f/d')), refused('not-a-directory', 'not-found'));
      });
    });

    describe('deleting', () => {
      it('takes a tree, and never what its links lead to', async () => {
        await fs.mkdir(at('keep'));
        await fs.writeFile(at('keep/precious'), 'p');
        await fs.mkdir(at('d/e/f'), { recursive: true });
        await fs.writeFile(at('d/e/x'), '');
        await fs.symlink(at('keep'), at('d/link'));
        await fs.symlink('nowhere', at('d/e/dangling'));
        await assert.rejects(pod.files.delete(at('d'), { recursive: false }), refused('not-empty'));
        await pod.files.delete(at('d'), { recursive: true });
        assert.deepEqual(await fs.readdir(dir), ['keep']);
        await fs.symlink('keep', at('link'));
        await fs.symlink('nowhere', at('dangling'));
        await pod.files.delete(at('link'), { recursive: true });
        await pod.files.delete(at('dangling'), { recursive: false });
        assert.deepEqual(await fs.readdir(at('keep')), ['precious']);
        await pod.files.createDirectory(at('empty'));
        await pod.files.delete(at('empty'), { recursive: false });
        await assert.rejects(pod.files.delete(at('none'), { recursive: true }), refused('not-found'));
        await assert.rejects(pod.files.delete('/', { recursive: true }), refused('no-permission'));
      });
    });

    describe('renaming', () => {
      it('replaces only when told to, whatever is in the way', async () => {
        const make = async (kind: 'file' | 'empty' | 'full' | 'link', name: string): Promise<void> => {
          if (kind === 'file') await fs.writeFile(at(name), name);
          else if (kind === 'link') await fs.symlink(`nowhere-${name}`, at(name));
          else await fs.mkdir(at(name));
          if (kind === 'full') await fs.writeFile(at(`${name}/in`), name);
        };
        const kinds = ['file', 'empty', 'full', 'link'] as const;
        const shape = async (name: string): Promise<string> => {
          const stat = await fs.lstat(at(name));
          return stat.isDirectory() ? `d:${(await fs.readdir(at(name))).length > 0 ? await fs.readFile(at(`${name}/in`), 'utf8') : ''}` : stat.isSymbolicLink() ? await fs.readlink(at(name)) : await fs.readFile(at(name), 'utf8');
        };
        for (const from of kinds)
          for (const to of kinds) {
            await make(from, 'a');
            await make(to, 'b');
            const [a, b] = [await shape('a'), await shape('b')];
            await assert.rejects(pod.files.rename(at('a'), at('b'), { overwrite: false }), refused('exists'), `${from} onto ${to}`);
            assert.deepEqual([await shape('a'), await shape('b')], [a, b]);
            await pod.files.rename(at('a'), at('b'), { overwrite: true });
            assert.equal(await shape('b'), a, `${from} over ${to}`);
            assert.deepEqual(await fs.readdir(dir), ['b']);
            await fs.rm(at('b'), { recursive: true });
          }
      });

      it('says what is missing', async () => {
        await fs.writeFile(at('f'), 'f');
        for (const overwrite of [true, false]) {
          await assert.rejects(pod.files.rename(at('none'), at('x'), { overwrite }), refused('not-found'));
          await assert.rejects(pod.files.rename(at('f'), at('no/x'), { overwrite }), refused('not-found'));
          await assert.rejects(pod.files.rename(at('f'), at('f/x'), { overwrite }), refused('unsupported'));
        }
        assert.equal(await load('f'), 'f');
      });
    });

    describe('copying', () => {
      it('takes trees with modes, times and links, and replaces only when told to', async () => {
        await fs.mkdir(at('d/e'), { recursive: true });
        await fs.writeFile(at('d/run.sh'), 'run', { mode: 0o755 });
        await fs.symlink('../run.sh', at('d/e/link'));
        await fs.utimes(at('d/run.sh'), 1_600_000_000, 1_600_000_000);
        await pod.files.copy(at('d'), at('c'), { overwrite: false });
        assert.equal((await fs.stat(at('c/run.sh'))).mode & 0o777, 0o755);
        assert.equal((await fs.stat(at('c/run.sh'))).mtimeMs, 1_600_000_000_000);
        assert.equal(await fs.readlink(at('c/e/link')), '../run.sh');
        await assert.rejects(pod.files.copy(at('d'), at('c'), { overwrite: false }), refused('exists'));
        await fs.writeFile(at('c/extra'), '');
        await pod.files.copy(at('d'), at('c'), { overwrite: true });
        assert.deepEqual((await fs.readdir(at('c'))).sort(), ['e', 'run.sh']);
        await save('f', 'f');
        await pod.files.copy(at('f'), at('c'), { overwrite: true });
        assert.equal(await load('c'), 'f');
        await assert.rejects(pod.files.copy(at('d'), at('d/e/x'), { overwrite: true }), refused('unsupported'));
        await assert.rejects(pod.files.copy(at('none'), at('x'), { overwrite: true }), refused('not-found'));
        await assert.rejects(pod.files.copy(at('f'), at('no/x'), { overwrite: true }), refused('not-found'));
        assert.deepEqual(await leftovers(), []);
      });
    });
  });
}
