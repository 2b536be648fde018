import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { watch, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { CancelledError } from '../../../src/base/errors';
import { isFileError } from '../../../src/files/errors';
import { LocalFileError, type TransferOptions, type TransferPlan, type TransferResult } from '../../../src/files/transfer/contract';
import { startPod, type TestPod, type TestPodOptions } from '../pod';

const bytes = (seed: number, length: number): Buffer => Buffer.alloc(length, createBlock(seed));
/** Not compressible at a glance, and cheap to make. */
function createBlock(seed: number): Buffer {
  const block = Buffer.alloc(65_537);
  for (let i = 0, x = seed; i < block.length; i++) block[i] = (x = (Math.imul(x, 1103515245) + 12345) >>> 0) >>> 24;
  return block;
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', os.tmpdir()], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

describe('transfers between this computer and a pod', () => {
  let pod: TestPod;
  let here: string;
  const start = async (options: TestPodOptions = {}): Promise<void> => {
    pod = await startPod({ files: { silenceMs: 2_000, openMs: 5_000 }, ...options });
  };
  const at = (...names: string[]): string => path.join(here, ...names);
  const down = async (sources: string[], options: TransferOptions = {}, to = here): Promise<TransferResult> => pod.files.transfer(await pod.files.planDownload(sources.map((s) => pod.at(s)), to), options);
  const up = async (sources: string[], options: TransferOptions = {}, to = pod.at('to')): Promise<TransferResult> => pod.files.transfer(await pod.files.planUpload(sources.map((s) => at(s)), to), options);
  /** Everything below a folder: type, mode, time and content. */
  const picture = (folder: string): string =>
    execFileSync('sh', ['-c', `cd "$1" && find . -printf '%P %y %m %l\\n' | sort && find . -type f -printf '%P %Ts\\n' | sort && find . -type f -print0 | sort -z | xargs -0 -r sha256sum`, '-', folder], { encoding: 'latin1' });
  const leftovers = async (folder: string): Promise<string[]> => (await fs.readdir(folder, { recursive: true })).filter((name) => /runpod-(part|save)/.test(name));

  async function makeTree(folder: string): Promise<void> {
    await fs.mkdir(path.join(folder, 'src/empty'), { recursive: true });
    await fs.writeFile(path.join(folder, 'src/train.py'), 'print(1)\n');
    await fs.writeFile(path.join(folder, "src/it's \"odd\"\n$name \\.txt"), 'odd');
    await fs.writeFile(Buffer.concat([Buffer.from(path.join(folder, 'src/caf')), Buffer.from([0xe9])]), 'latin');
    await fs.writeFile(path.join(folder, 'src/empty.txt'), '');
    await fs.writeFile(path.join(folder, 'src/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    await fs.writeFile(path.join(folder, 'src/middle.bin'), bytes(3, 900_000));
    await fs.symlink('train.py', path.join(folder, 'src/link.py'));
    await fs.symlink('empty', path.join(folder, 'src/folder-link'));
    for (let i = 0; i < 40; i++) await fs.writeFile(path.join(folder, `src/n${i}.txt`), `${i}`);
    execFileSync('sh', ['-c', 'find "$1" -type f -exec touch -d "2024-05-06 07:08:09 UTC" {} +', '-', folder]);
  }

  beforeEach(async () => {
    here = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-here-')));
  });
  afterEach(async () => {
    await pod.stop();
    await fs.rm(here, { recursive: true, force: true });
  });

  it('bring folders down as they are: odd names, links, modes, times, empty ones', async () => {
    await start();
    await makeTree(pod.dir);
    const result = await down(['src']);
    assert.equal(picture(at('src')), picture(pod.at('src')));
    assert.deepEqual([result.failed, result.leftOut, result.verified, result.links], [[], [], 'hash', 2]);
    assert.equal(result.files, 46);
  });

  it('bring folders up as they are', async () => {
    await start();
    await makeTree(here);
    const result = await up(['src']);
    assert.equal(picture(pod.at('to/src')), picture(at('src')));
    assert.deepEqual([result.failed, result.leftOut, result.verified, result.links, result.files], [[], [], 'hash', 2, 46]);
    assert.deepEqual(await leftovers(pod.dir), []);
  });

  it('do what is left to do when they are repeated', async () => {
    await start();
    await makeTree(here);
    await up(['src']);
    await fs.writeFile(at('src/train.py'), 'print(2)\n\n');
    const plan = await pod.files.planUpload([at('src')], pod.at('to'));
    assert.deepEqual(plan.files.map(({ to, conflict }) => [path.basename(to), conflict]), [['train.py', true]]);
    assert.equal(plan.present, 47);
    const kept = await pod.files.transfer(plan, { conflicts: 'keep' });
    assert.deepEqual(kept.leftOut.map(({ why }) => why), ['kept']);
    assert.equal(await fs.readFile(pod.at('to/src/train.py'), 'utf8'), 'print(1)\n');
    await pod.files.transfer(plan, { conflicts: 'overwrite' });
    assert.equal(await fs.readFile(pod.at('to/src/train.py'), 'utf8'), 'print(2)\n\n');
  });

  it('never put a file where a folder is, nor the other way round', async () => {
    await start();
    await fs.mkdir(pod.at('to/a'), { recursive: true });
    await fs.writeFile(pod.at('to/b'), 'a file');
    await fs.writeFile(at('a'), 'a file');
    await fs.mkdir(at('b'));
    const result = await up(['a', 'b'], { conflicts: 'overwrite' });
    assert.deepEqual(result.leftOut.map(({ why }) => why), ['in-the-way', 'in-the-way']);
    assert.ok((await fs.stat(pod.at('to/a'))).isDirectory() && (await fs.stat(pod.at('to/b'))).isFile());
  });

  it('bring no link that leads out of the folder by way of another link', async () => {
    await start();
    await fs.mkdir(pod.at('src/deep'), { recursive: true });
    await fs.writeFile(pod.at('src/deep/f'), 'f');
    await fs.symlink('.', pod.at('src/here'));
    await fs.symlink('here/..', pod.at('src/above'));
    await fs.symlink('../deep/f', pod.at('src/deep/fine'));
    const result = await down(['src']);
    assert.deepEqual(result.leftOut, [{ path: pod.at('src/above'), why: 'folder-link' }]);
    assert.equal(await fs.readlink(at('src/deep/fine')), '../deep/f');
    await assert.rejects(fs.lstat(at('src/above')));
  });

  it('leave out what has no content, and links that lead nowhere or out to a folder; a file outside comes itself', async () => {
    await start();
    await fs.mkdir(pod.at('src'));
    await fs.mkdir(pod.at('outside'));
    await fs.writeFile(pod.at('outside/weights'), 'w');
    await fs.symlink('../outside', pod.at('src/out'));
    await fs.symlink('../outside/weights', pod.at('src/weights'));
    await fs.symlink('nowhere', pod.at('src/dangling'));
    await fs.symlink('.', pod.at('src/loop'));
    execFileSync('mkfifo', [pod.at('src/pipe')]);
    const result = await down(['src']);
    assert.deepEqual(Object.fromEntries(result.leftOut.map(({ path: p, why }) => [path.basename(p), why])), { out: 'folder-link', dangling: 'dangling', pipe: 'special' });
    assert.ok((await fs.lstat(at('src/weights'))).isFile());
    assert.equal(await fs.readlink(at('src/loop')), '.');
  });

  it('go on where they stopped when the link drops, in both directions', async () => {
    await start();
    const size = 40_000_000;
    await fs.writeFile(pod.at('big'), bytes(1, size));
    pod.link.shape({ cutAfterBytesDown: 25_000_000 });
    pod.host.onDown(() => pod.link.shape({}));
    const phases = new Set<string>();
    const before = pod.link.counts.bytesDown;
    const result = await down(['big'], { onProgress: ({ phase }) => phases.add(phase) });
    assert.ok((await fs.readFile(at('big'))).equals(bytes(1, size)));
    assert.equal(result.verified, 'hash');
    assert.ok(phases.has('waiting') && phases.has('checking'), [...phases].join());
    assert.ok(pod.link.counts.bytesDown - before < size * 1.5, `${pod.link.counts.bytesDown - before} bytes for ${size}`);

    pod.link.shape({ cutAfterBytesUp: 25_000_000 });
    const upBefore = pod.link.counts.bytesUp;
    await up(['big']);
    assert.ok((await fs.readFile(pod.at('to/big'))).equals(bytes(1, size)));
    assert.ok(pod.link.counts.bytesUp - upBefore < size * 1.5, `${pod.link.counts.bytesUp - upBefore} bytes for ${size}`);
    assert.deepEqual([...(await leftovers(here)), ...(await leftovers(pod.dir))], []);
  });

  it('that were given up are picked up by the next attempt', async () => {
    await start({ files: { silenceMs: 500, openMs: 1_000 } });
    const size = 60_000_000;
    await fs.writeFile(pod.at('big'), bytes(1, size));
    pod.link.shape({ cutAfterBytesDown: 50_000_000 });
    const down_ = pod.host.onDown(() => pod.link.shape({ fault: 'refuse' }));
    await assert.rejects(down(['big'], { patienceMs: 300 }), (error) => isFileError(error, 'unavailable'));
    assert.equal((await leftovers(here)).length, 1);
    down_.dispose();
    pod.link.shape({});
    const before = pod.link.counts.bytesDown;
    await down(['big']);
    assert.ok((await fs.readFile(at('big'))).equals(bytes(1, size)));
    assert.ok(pod.link.counts.bytesDown - before < size * 0.95, `${pod.link.counts.bytesDown - before} bytes for the rest of ${size}`);
    assert.deepEqual(await leftovers(here), []);
  });

  it('clear away what an earlier attempt has left of another version of the file, unless somebody may still be at it', async () => {
    await start({ files: { silenceMs: 500, openMs: 1_000 } });
    const size = 60_000_000;
    const givenUp = async (go: () => Promise<unknown>, cut: 'cutAfterBytesDown' | 'cutAfterBytesUp'): Promise<void> => {
      pod.link.shape({ [cut]: 50_000_000 });
      const gone = pod.host.onDown(() => pod.link.shape({ fault: 'refuse' }));
      await assert.rejects(go(), (error) => isFileError(error, 'unavailable'));
      gone.dispose();
      pod.link.shape({});
    };
    const sides = [
      { source: pod.at('big'), into: here, go: () => down(['big'], { patienceMs: 300 }), cut: 'cutAfterBytesDown' },
      { source: at('big'), into: pod.at('to'), go: () => up(['big'], { patienceMs: 300 }), cut: 'cutAfterBytesUp' },
    ] as const;
    for (const { source, into, go, cut } of sides) {
      await fs.rm(at('big'), { force: true });
      await fs.writeFile(source, bytes(1, size));
      await givenUp(go, cut);
      const [old = '', ...more] = await leftovers(into);
      assert.ok(old !== '' && more.length === 0);
      await fs.writeFile(source, bytes(2, size - 1));
      await givenUp(go, cut);
      assert.deepEqual((await leftovers(into)).length, 2, 'another window may be at the other one');
      // What nobody has written to for an hour is nobody's.
      await fs.utimes(path.join(into, old), new Date(), new Date(Date.now() - 3_600_000));
      await fs.writeFile(path.join(into, old.replace(/[0-9a-f]{12}/, '0123456789ab')), 'of another file');
      await go();
      assert.ok((await fs.readFile(path.join(into, 'big'))).equals(bytes(2, size - 1)));
      assert.deepEqual((await leftovers(into)).map((name) => /0123456789ab/.test(name)), [true]);
    }
  });

  it('write through no link that stands where a file is to be collected', async () => {
    await start({ files: { silenceMs: 500, openMs: 1_000 } });
    await fs.mkdir(pod.at('to'));
    for (const size of [1000, 20_000_000]) {
      const sides = [
        { source: pod.at('state'), into: here, go: () => down(['state']) },
        { source: at('state'), into: pod.at('to'), go: () => up(['state']) },
      ];
      for (const { source, into, go } of sides) {
        await fs.rm(into === here ? at('state') : pod.at('to/state'), { force: true });
        await fs.writeFile(source, bytes(1, size));
        // Its name can be foreseen: here it is seen while the file is on its way.
        const watcher = watch(into);
        const seen = new Promise<string>((resolve) => watcher.on('change', (_event, name) => /runpod-(part|save)/.test(String(name)) && resolve(String(name))));
        await go();
        const name = await seen;
        watcher.close();
        await fs.rm(path.join(into, 'state'));
        const victim = path.join(here, 'victim');
        await fs.writeFile(victim, 'precious');
        await fs.symlink(victim, path.join(into, name));
        await go();
        assert.equal(await fs.readFile(victim, 'utf8'), 'precious', name);
        assert.ok((await fs.readFile(path.join(into, 'state'))).equals(bytes(1, size)));
        assert.equal((await fs.lstat(path.join(into, 'state'))).isFile(), true);
        assert.deepEqual(await leftovers(into), []);
      }
    }
  });

  it('begin anew when what lies there from an earlier attempt is not what it should be', async () => {
    await start({ files: { silenceMs: 500, openMs: 1_000 } });
    const size = 60_000_000;
    await fs.writeFile(pod.at('big'), bytes(1, size));
    pod.link.shape({ cutAfterBytesDown: 50_000_000 });
    const gone = pod.host.onDown(() => pod.link.shape({ fault: 'refuse' }));
    await assert.rejects(down(['big'], { patienceMs: 300 }));
    gone.dispose();
    pod.link.shape({});
    const [part = ''] = await leftovers(here);
    const handle = await fs.open(at(part), 'r+');
    await handle.write(Buffer.from('damage'), 0, 6, 1000);
    await handle.close();
    await down(['big']);
    assert.ok((await fs.readFile(at('big'))).equals(bytes(1, size)));
  });

  it('leave nothing behind when cancelled', async () => {
    await start();
    await fs.writeFile(pod.at('big'), bytes(1, 30_000_000));
    await fs.writeFile(at('up'), bytes(2, 30_000_000));
    for (const go of [(o: TransferOptions) => down(['big'], o), (o: TransferOptions) => up(['up'], o)]) {
      const cancel = new AbortController();
      await assert.rejects(
        go({ signal: cancel.signal, onProgress: ({ bytes: done }) => void (done > 5_000_000 && cancel.abort()) }),
        (error) => error instanceof CancelledError,
      );
    }
    assert.deepEqual(await fs.readdir(here), ['up']);
    assert.deepEqual(await fs.readdir(pod.at('to')), []);
  });

  it('bring a log that grows as far as it was, and say so of a file that changes under their hands', async () => {
    await start();
    await fs.writeFile(pod.at('train.log'), 'x'.repeat(5000));
    const plan = await pod.files.planDownload([pod.at('train.log')], here);
    await fs.appendFile(pod.at('train.log'), 'more');
    await pod.files.transfer(plan);
    assert.equal((await fs.readFile(at('train.log'))).length, 5000);

    await fs.writeFile(pod.at('state'), bytes(1, 300_000));
    const other = await pod.files.planDownload([pod.at('state')], here);
    let turn = 0;
    const result = await pod.files.transfer(other, {
      onProgress: ({ phase }) => {
        if (phase === 'checking') writeFileSync(pod.at('state'), bytes(10 + turn++, 300_000));
      },
    });
    assert.match(String(result.failed[0]?.error.message), /changed while/);
    assert.deepEqual(await fs.readdir(here), ['train.log']);
    assert.deepEqual(await leftovers(here), []);
  });

  // Only root can let somebody else log in.
  if (process.getuid?.() === 0) it('move the rest when single files cannot be read', async () => {
    await start({ sshd: { user: 'nobody' } });
    await fs.chmod(pod.dir, 0o777);
    await fs.mkdir(pod.at('src'), { mode: 0o777 });
    await fs.writeFile(pod.at('src/open'), 'open');
    await fs.writeFile(pod.at('src/secret'), 'secret', { mode: 0o600 });
    const result = await down(['src']);
    assert.equal(await fs.readFile(at('src/open'), 'utf8'), 'open');
    assert.deepEqual(result.failed.map(({ path: p, error }) => [path.basename(p), error.code]), [['secret', 'no-permission']]);
  });

  it('agree in size alone where the pod has no shell', async () => {
    await start({ sshd: { extraConfig: 'ForceCommand internal-sftp' } });
    await makeTree(pod.dir);
    const result = await down(['src']);
    assert.equal(picture(at('src')), picture(pod.at('src')));
    assert.equal(result.verified, 'size');
    assert.equal((await up(['src'])).verified, 'size');
    assert.equal(picture(pod.at('to/src')), picture(at('src')));
  });

  it('find names that Windows can hold', async () => {
    await start();
    await fs.mkdir(pod.at('src/aux'), { recursive: true });
    for (const name of ['loss:1.csv', 'Model.bin', 'model.bin', 'aux/in']) await fs.writeFile(pod.at(`src/${name}`), name);
    await fs.symlink('Model.bin', pod.at('src/latest'));
    const rules = { windows: true, caseSensitive: false, bytes: false };
    const result = await pod.files.transfer(await pod.files.planDownload([pod.at('src')], here, { rules }));
    assert.deepEqual((await fs.readdir(at('src'))).sort(), ['Model.bin', 'aux_', 'latest', 'loss%3A1.csv', 'model (2).bin']);
    assert.equal(await fs.readFile(at('src/latest'), 'utf8'), 'Model.bin', 'a copy, for links need a right there');
    assert.equal(result.renamed.length, 3);
  });

  it('say what is wrong with the way', async () => {
    await start();
    await fs.writeFile(at('f'), 'f');
    await fs.writeFile(pod.at('file'), 'f');
    await assert.rejects(up(['missing']), (error) => error instanceof LocalFileError && error.code === 'not-found');
    await assert.rejects(down(['missing']), (error) => isFileError(error, 'not-found'));
    await assert.rejects(up(['f'], {}, pod.at('file/below')), (error) => isFileError(error, 'not-a-directory'));
    await assert.rejects(down(['file'], {}, at('f')), (error) => isFileError(error, 'not-a-directory'));
    const plan: TransferPlan = await pod.files.planUpload([at('f')], pod.at('new/deep'));
    assert.deepEqual(plan.folders.map((folder) => folder.slice(pod.dir.length)), ['/new', '/new/deep']);
    await pod.files.transfer(plan);
    assert.equal(await fs.readFile(pod.at('new/deep/f'), 'utf8'), 'f');
  });

  it('never take the place of a file that came meanwhile', async () => {
    await start();
    await fs.writeFile(pod.at('f'), 'theirs');
    const plan = await pod.files.planDownload([pod.at('f')], here);
    await fs.writeFile(at('f'), 'mine');
    const result = await pod.files.transfer(plan);
    assert.equal(await fs.readFile(at('f'), 'utf8'), 'mine');
    assert.deepEqual(result.failed.map(({ error }) => error.code), ['exists']);
  });

  // Only root can mount a disk of a chosen size, and not everywhere.
  if (canMount()) it('name a full disk, and leave it as they found it', async () => {
    const disk = at('disk');
    await fs.mkdir(disk);
    // Before the server starts, for it may have a view of the disks of its own.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk]);
    try {
      await start();
      await fs.writeFile(at('big'), bytes(1, 30_000_000));
      await assert.rejects(up(['big'], {}, disk), (error) => isFileError(error, 'no-space'));
      assert.deepEqual(await fs.readdir(disk), []);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('need no memory for the size of a file', async () => {
    await start();
    const size = 250_000_000;
    await fs.truncate(pod.at('sparse'), size).catch(async () => {
      await fs.writeFile(pod.at('sparse'), randomBytes(1));
      await fs.truncate(pod.at('sparse'), size);
    });
    const before = process.memoryUsage.rss();
    let most = 0;
    await down(['sparse'], { onProgress: () => void (most = Math.max(most, process.memoryUsage.rss())) });
    assert.equal((await fs.stat(at('sparse'))).size, size);
    assert.ok(most - before < 120_000_000, `${Math.round((most - before) / 1e6)} MB more for a file of ${size / 1e6} MB`);
  });
});
