import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { quote } from '../../src/base/shell';
import { sleep } from '../../src/base/time';
import type { SshConnection } from '../../src/ssh/connection';
import type { SyncHost } from '../../src/sync/host';
import { Ledger } from '../../src/sync/ledger';
import type { LocalTree } from '../../src/sync/localTree';
import { planUpload, type UploadPlan } from '../../src/sync/plan';
import { upload, type UploadOptions, type UploadProgress } from '../../src/sync/upload';
import { UploadError } from '../../src/sync/uploadError';
import { until } from '../support/until';
import { diskTree } from './diskTree';
import { startSshPod, type SshPod } from './sshPod';

type Files = Readonly<Record<string, string | Buffer>>;

async function put(root: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
}

/** Every file below a folder with its content, links as `-> target`. */
async function snapshot(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true }).catch(() => [])) {
    const full = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) found[path.relative(root, full)] = (await readFile(full)).toString('latin1');
    else if (entry.isSymbolicLink()) found[path.relative(root, full)] = `-> ${await readlink(full)}`;
  }
  return found;
}

const gone = (folder: string): Promise<void> => until(async () => (await readdir(folder).catch(() => [])).length === 0, `an empty ${folder}`);

describe('uploading a folder', () => {
  let pod: SshPod;
  let ssh: SshConnection;
  let local: string;
  let target: string;
  let staging: string;
  let ledger: Ledger;
  let count = 0;

  before(async () => {
    pod = await startSshPod();
    ssh = await pod.connect();
  });
  after(() => pod.stop());
  beforeEach(async () => {
    local = await mkdtemp(path.join(os.tmpdir(), 'sync-upload-'));
    target = path.join(pod.mount, `it's "project" ${count++}`);
    staging = path.join(pod.mount, '.runpod-workspaces', 'pod1', 'staging');
    ledger = new Ledger();
  });
  afterEach(() => rm(local, { recursive: true, force: true }));

  const plan = (tree: LocalTree = diskTree(local), host: SyncHost = ssh): Promise<UploadPlan> => planUpload(host, tree, target, ledger);
  const push = async (options: Partial<UploadOptions> & { tree?: LocalTree; host?: SyncHost } = {}): Promise<UploadProgress> =>
    upload(options.host ?? ssh, options.tree ?? diskTree(local), await plan(options.tree, options.host), ledger, { staging, ...options });

  const nasty: Files = {
    'train.py': 'print(1)\n',
    'empty': '',
    'src/deep/er/model.py': 'x'.repeat(100_000),
    [`it's/a "name"/$(touch x)/\`y\`.txt`]: 'quotes',
    '-rf/-x': 'dashes',
    'new\nline/fi\nle': 'newlines',
    '東京/ünï çødé.txt': 'unicode',
    [`${'l'.repeat(90)}/${'n'.repeat(200)}.txt`]: 'long',
    ' leading and trailing ': 'spaces',
    '*?[a]': 'globs',
    'back\\slash': 'backslash',
    'block': 'b'.repeat(512),
  };

  it('puts every file in place, whole, with its time and mode, whatever its name', async () => {
    await put(local, nasty);
    await chmod(path.join(local, 'train.py'), 0o755);
    await utimes(path.join(local, 'empty'), 1_000_000_000, 1_000_000_000);
    await symlink('src/deep', path.join(local, 'link'));
    const seen: UploadProgress[] = [];
    const done = await push({ onProgress: (progress) => seen.push(progress) });
    assert.deepEqual(await snapshot(target), await snapshot(local));
    assert.equal((await lstat(path.join(target, 'train.py'))).mode & 0o777, 0o755);
    assert.equal((await lstat(path.join(target, 'empty'))).mtimeMs, 1_000_000_000_000);
    assert.equal(done.files, Object.keys(nasty).length);
    assert.equal(done.bytes, Object.values(nasty).reduce((sum, content) => sum + Buffer.byteLength(content), 0));
    assert.deepEqual(seen.at(-1), done);
    await gone(staging);
  });

  it('sends only what differs afterwards', async () => {
    await put(local, nasty);
    await push();
    const again = await plan();
    assert.deepEqual([again.send.length, again.conflicts.length, again.unchanged], [0, 0, Object.keys(nasty).length]);
    await put(local, { 'train.py': 'print(2)\nprint(3)\n' });
    assert.deepEqual((await plan()).send.map(({ path: name }) => name), ['train.py']);
    assert.equal((await push()).files, 1);
    assert.deepEqual(await snapshot(target), await snapshot(local));
  });

  it('notices a second change within the same second', async () => {
    await put(local, { 'train.py': 'lr=1' });
    await utimes(path.join(local, 'train.py'), 1_700_000_000.2, 1_700_000_000.2);
    await push();
    await put(local, { 'train.py': 'lr=2' });
    await utimes(path.join(local, 'train.py'), 1_700_000_000.9, 1_700_000_000.9);
    ledger = new Ledger(JSON.parse(JSON.stringify(ledger)) as unknown);
    await push();
    assert.deepEqual(await snapshot(target), { 'train.py': 'lr=2' });
  });

  it('deletes nothing on the pod', async () => {
    await put(local, { 'a.py': '1', 'b/c.py': '2' });
    await push();
    await put(target, { 'outputs/model.bin': 'weights', 'b/results.csv': '1,2' });
    await rm(path.join(local, 'a.py'));
    await put(local, { 'b/c.py': '22' });
    await push();
    assert.deepEqual(await snapshot(target), { 'a.py': '1', 'b/c.py': '22', 'b/results.csv': '1,2', 'outputs/model.bin': 'weights' });
  });

  it('does not replace what was changed on the pod, unless told to', async () => {
    await put(local, { 'a.py': 'mine', 'b.py': 'mine', 'c.py': 'mine' });
    await push();
    await put(target, { 'a.py': 'theirs', 'b.py': 'their' });
    await put(local, { 'a.py': 'mine, longer' });
    const found = await plan();
    assert.deepEqual(found.conflicts.map(({ path: name }) => name), ['a.py']);
    assert.deepEqual(found.newer.map(({ path: name }) => name), ['b.py'], 'nothing was changed here');
    await push();
    assert.deepEqual(await snapshot(target), { 'a.py': 'theirs', 'b.py': 'their', 'c.py': 'mine' });
    const [a] = found.conflicts;
    assert.ok(a);
    await upload(ssh, diskTree(local), found, ledger, { staging, overwrite: new Set([a]) });
    assert.deepEqual(await snapshot(target), { 'a.py': 'mine, longer', 'b.py': 'their', 'c.py': 'mine' });
  });

  it('knows its own older versions, on any pod and in any window', async () => {
    await put(local, { 'a.py': 'one' });
    await push();
    const first = target;
    target = `${target} on another pod`;
    await put(local, { 'a.py': 'one, two' });
    await push();
    target = first;
    ledger = new Ledger(JSON.parse(JSON.stringify(ledger)) as unknown);
    assert.deepEqual((await plan()).conflicts, []);
    await push();
    assert.deepEqual(await snapshot(target), { 'a.py': 'one, two' });
  });

  it('finds the same content under another time by its hash, once', async () => {
    await put(local, { 'a.py': 'same', [`it's\nb.py`]: 'mine' });
    await put(target, { 'a.py': 'same', [`it's\nb.py`]: 'them' });
    for (const name of ['a.py', `it's\nb.py`]) await utimes(path.join(target, name), 1_600_000_000, 1_600_000_000);
    const found = await plan();
    assert.deepEqual([found.send.length, found.unchanged, found.conflicts.map(({ path: name }) => name)], [0, 1, [`it's\nb.py`]]);
    const commands: string[] = [];
    await rm(path.join(local, `it's\nb.py`));
    const again = await plan(undefined, { exec: (command, how) => ssh.exec(command, how), run: (command, how) => (commands.push(command), ssh.run(command, how)) });
    assert.equal(again.unchanged, 1);
    assert.equal(commands.length, 1);
  });

  it('sends no file where the pod has a folder, and makes no link where there is something', async () => {
    await put(local, { 'a': 'file', 'b': 'file', 'real': 'x' });
    await symlink('real', path.join(local, 'link'));
    await put(target, { 'a/inside': 'kept', 'link': 'kept' });
    const found = await plan();
    assert.deepEqual(found.blocked, ['a']);
    await push();
    assert.deepEqual(await snapshot(target), { 'a/inside': 'kept', b: 'file', link: 'kept', real: 'x' });
    await writeFile(path.join(pod.mount, 'a file'), '');
    target = path.join(pod.mount, 'a file');
    await assert.rejects(plan(), (error: unknown) => error instanceof UploadError && error.code === 'blocked');
  });

  it('keeps the pod’s modes where this system has none, and makes scripts executable', async () => {
    await put(local, { 'run.sh': '#!/bin/sh\n', 'data.txt': 'x', 'old.txt': 'x' });
    const tree = diskTree(local, { mode: false });
    await push({ tree });
    assert.equal((await lstat(path.join(target, 'run.sh'))).mode & 0o777, 0o755);
    assert.equal((await lstat(path.join(target, 'data.txt'))).mode & 0o777, 0o644);
    await chmod(path.join(target, 'old.txt'), 0o600);
    await put(local, { 'old.txt': 'longer' });
    await push({ tree });
    assert.equal((await lstat(path.join(target, 'old.txt'))).mode & 0o777, 0o600);
  });

  /** Holds back a file's second half until told, so that an upload can be met in its middle. */
  function halfway(): { tree: LocalTree; reached: Promise<void>; go: () => void } {
    const disk = diskTree(local);
    let arrived = (): void => {};
    let go = (): void => {};
    const reached = new Promise<void>((resolve) => (arrived = resolve));
    const released = new Promise<void>((resolve) => (go = resolve));
    return {
      reached,
      go: () => go(),
      tree: {
        ...disk,
        async *read(file) {
          if (!file.endsWith('big.bin')) {
            yield* disk.read(file);
            return;
          }
          const whole = await readFile(path.join(local, file));
          yield whole.subarray(0, whole.length / 2);
          arrived();
          await released;
          yield whole.subarray(whole.length / 2);
        },
      },
    };
  }

  it('leaves nothing behind when it is cancelled in its middle', async () => {
    await put(local, { 'a.py': 'new content', 'big.bin': Buffer.alloc(3 << 20, 'x'), 'z.py': 'new' });
    await put(target, { 'a.py': 'old', 'z.py': 'old' });
    const middle = halfway();
    const cancel = new AbortController();
    const found = await plan(middle.tree);
    const pushing = upload(ssh, middle.tree, found, ledger, { staging, overwrite: new Set(found.conflicts), signal: cancel.signal });
    await middle.reached;
    await until(async () => (await readdir(staging).catch(() => [])).length > 0, 'something in the staging folder');
    cancel.abort();
    middle.go();
    await assert.rejects(pushing, { name: 'CancelledError' });
    await gone(staging);
    assert.deepEqual(await snapshot(target), { 'a.py': 'old', 'z.py': 'old' });
    assert.deepEqual((await plan()).conflicts.map(({ path: name }) => name), ['a.py', 'z.py'], 'what was not sent is not taken for sent');
  });

  it('changes nothing when the connection is cut in its middle, and the next one finishes', async () => {
    await put(local, { 'a.py': 'new content', 'big.bin': Buffer.alloc(3 << 20, 'x') });
    await put(target, { 'a.py': 'old' });
    const middle = halfway();
    const other = await pod.connect();
    const found = await plan(middle.tree);
    const pushing = upload(other, middle.tree, found, ledger, { staging, overwrite: new Set(found.conflicts) });
    await middle.reached;
    other.end();
    middle.go();
    await assert.rejects(pushing, (error: unknown) => error instanceof UploadError && error.code === 'lost');
    await gone(staging);
    assert.deepEqual(await snapshot(target), { 'a.py': 'old' });
    const next = await plan();
    await upload(ssh, diskTree(local), next, ledger, { staging, overwrite: new Set(next.conflicts) });
    assert.deepEqual(await snapshot(target), await snapshot(local));
  });

  it('places nothing of an archive that ends between two files', async () => {
    await put(local, { 'a.py': 'new' });
    const found = await plan();
    const cut: SyncHost = {
      run: (command, how) => ssh.run(command, how),
      async exec(command, how) {
        const channel = await ssh.exec(command, how);
        const write = channel.write.bind(channel);
        let blocks = 0;
        // The one file with its header and padding; then the end, without the list of renames.
        channel.write = (chunk: Uint8Array): boolean => (++blocks <= 1 ? write(chunk) : true);
        return channel;
      },
    };
    await assert.rejects(upload(cut, diskTree(local), found, ledger, { staging }), (error: unknown) => error instanceof UploadError && error.code === 'failed');
    assert.deepEqual(await snapshot(target), {});
    await gone(staging);
  });

  it('refuses a file that shrinks while it is read, and takes one that grows as it was', async () => {
    await put(local, { 'log.bin': Buffer.alloc(2 << 20, 'x') });
    const disk = diskTree(local);
    const lying = (size: number): LocalTree => ({ ...disk, stat: async (file) => ({ ...(await disk.stat(file)), size }) });
    await assert.rejects(push({ tree: lying(3 << 20) }), (error: unknown) => error instanceof UploadError && error.code === 'changed' && error.paths[0] === 'log.bin');
    assert.deepEqual(await snapshot(target), {});
    await push({ tree: lying((1 << 20) + 5) });
    assert.equal((await lstat(path.join(target, 'log.bin'))).size, (1 << 20) + 5);
  });

  it('puts nothing over what changes on the pod while it is sent', async () => {
    await put(local, { 'a.py': 'one', 'b.py': 'one' });
    await push();
    await put(local, { 'a.py': 'two, longer', 'c.py': 'mine' });
    const found = await plan();
    await put(target, { 'c.py': 'theirs' });
    await assert.rejects(upload(ssh, diskTree(local), found, ledger, { staging }), (error: unknown) => error instanceof UploadError && error.code === 'changed-there');
    assert.deepEqual(await snapshot(target), { 'a.py': 'one', 'b.py': 'one', 'c.py': 'theirs' });
    assert.deepEqual((await plan()).conflicts.map(({ path: name }) => name), ['c.py']);
  });

  it('puts a new folder in place by one rename, and never into or over one that came to be meanwhile', async () => {
    await put(local, { 'a.py': 'x', [`${'l'.repeat(90)}/${'m'.repeat(90)}/${'n'.repeat(90)}.py`]: 'long', 'd/b.py': 'y' });
    const found = await plan();
    assert.equal(found.isNew, true);
    await put(target, { 'theirs.py': 'theirs' });
    await assert.rejects(upload(ssh, diskTree(local), found, ledger, { staging }), (error: unknown) => error instanceof UploadError && error.code === 'failed');
    assert.deepEqual(await snapshot(target), { 'theirs.py': 'theirs' });
    await push();
    assert.deepEqual(await snapshot(target), { ...(await snapshot(local)), 'theirs.py': 'theirs' });
  });

  it('waits for an upload that still puts files in place, and not for a dead one', async () => {
    await put(local, { 'a.py': 'x' });
    const lock = path.join(staging, 'placing');
    await mkdir(lock, { recursive: true });
    const holder = await ssh.exec(`echo $$ >${quote(path.join(lock, 'pid'))}; exec sleep 600`);
    await until(async () => (await readFile(path.join(lock, 'pid'), 'utf8').catch(() => '')).endsWith('\n'), 'the lock');
    const pushing = push();
    let over = false;
    void pushing.then(() => (over = true), () => (over = true));
    await until(async () => (await readdir(staging)).length > 1, 'the next one’s staging');
    await sleep(300);
    assert.equal(over, false);
    await ssh.run(`kill ${(await readFile(path.join(lock, 'pid'), 'utf8')).trim()}`);
    holder.close();
    await pushing;
    assert.deepEqual(await snapshot(target), { 'a.py': 'x' });
    await gone(staging);
  });

  it('says in the pod’s words why it could not write', async () => {
    await put(local, { 'a.py': 'x' });
    await writeFile(path.join(pod.mount, 'in the way'), '');
    const found = { ...(await plan()), target: path.join(pod.mount, 'in the way', 'below') };
    await assert.rejects(upload(ssh, diskTree(local), found, ledger, { staging }), (error: unknown) => error instanceof UploadError && error.code === 'failed' && /in the way/.test(error.detail));
    await gone(staging);
  });

  it('works with the tools of BusyBox alone', async () => {
    const tools = path.join(pod.mount, 'tools');
    await mkdir(tools, { recursive: true });
    for (const tool of ['sh', 'cat', 'xargs', 'stat', 'tar', 'mv', 'mkdir', 'rm', 'ln', 'find', 'chmod', 'sha256sum', 'test']) await symlink('/usr/bin/busybox', path.join(tools, tool)).catch(() => undefined);
    const busy = (command: string): string => command.replace('exec /bin/sh', `PATH=${tools}; export PATH; exec ${tools}/sh`);
    const host: SyncHost = { exec: (command, how) => ssh.exec(busy(command), how), run: (command, how) => ssh.run(busy(command), how) };
    await put(local, nasty);
    await put(target, { 'empty': '', 'block': 'b'.repeat(512) });
    await symlink('src/deep', path.join(local, 'link'));
    await push({ host });
    assert.deepEqual(await snapshot(target), await snapshot(local));
    const again = await plan(undefined, host);
    assert.deepEqual([again.send.length, again.conflicts.length, again.links.length], [0, 0, 0]);
    await rm(path.join(tools, 'tar'));
    await assert.rejects(plan(undefined, host), (error: unknown) => error instanceof UploadError && error.code === 'missing-tool' && error.detail === 'tar');
    await gone(staging);
  });

  it('ends with the two sides alike, after any edits', async () => {
    const name = fc.constantFrom('a', 'b', `it's`, 'd/x', 'd/y', 'd/-z', 'e/f/g');
    const edit = fc.record({ name, content: fc.string({ maxLength: 12 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(edit, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }), async (rounds) => {
        await rm(local, { recursive: true });
        await mkdir(local);
        target = path.join(pod.mount, `property ${count++}`);
        ledger = new Ledger();
        const model: Record<string, string> = {};
        for (const round of rounds) {
          for (const { name: file, content } of round) {
            await put(local, { [file]: content });
            model[file] = Buffer.from(content).toString('latin1');
          }
          await push();
          assert.deepEqual(await snapshot(target), model);
        }
      }),
      { numRuns: 12, seed: 7 },
    );
  });

  it('sends many files in one go, more than one `mv` takes at once', async () => {
    for (let folder = 0; folder < 4; folder++) {
      await mkdir(path.join(local, `f${folder}`));
      await Promise.all(Array.from({ length: 50 }, (_, i) => writeFile(path.join(local, `f${folder}`, `${i}.py`), `${folder} ${i}`)));
    }
    await put(local, Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`flat ${i}`, `${i}`])));
    const done = await push();
    assert.equal(done.files, 650);
    assert.deepEqual(await snapshot(target), await snapshot(local));
    assert.equal((await plan()).unchanged, 650);
  });
});
