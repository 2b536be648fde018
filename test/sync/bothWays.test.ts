import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import type { SshConnection } from '../../src/ssh/connection';
import { asideName, extraThere, planPull, settle, type ConflictChoice } from '../../src/sync/decide';
import type { SyncHost } from '../../src/sync/host';
import { Ledger } from '../../src/sync/ledger';
import { namesOf, type LocalNames } from '../../src/sync/localNames';
import { compare, planUpload, type Comparison } from '../../src/sync/plan';
import { pull, type Pulled } from '../../src/sync/pull';
import { upload, type UploadProgress } from '../../src/sync/upload';
import { UploadError } from '../../src/sync/uploadError';
import { diskTree } from './diskTree';
import { startSshPod, type SshPod } from './sshPod';

type Files = Readonly<Record<string, string | Buffer>>;

async function put(root: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
}

/** Every file below a folder with its content, links as `-> target`, empty folders as `/`. */
async function snapshot(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true }).catch(() => [])) {
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, full);
    if (entry.isFile()) found[name] = (await readFile(full)).toString('latin1');
    else if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(full)}`;
    else if ((await readdir(full)).length === 0) found[name] = '/';
  }
  return found;
}

describe('a folder and a pod in step', () => {
  let pod: SshPod;
  let ssh: SshConnection;
  let local: string;
  let target: string;
  let staging: string;
  let ledger: Ledger;
  let count = 0;
  let clock = 1_700_000_000;

  before(async () => {
    pod = await startSshPod();
    ssh = await pod.connect();
  });
  after(() => pod.stop());
  beforeEach(async () => {
    local = await mkdtemp(path.join(os.tmpdir(), 'sync-both-'));
    target = path.join(pod.mount, `it's "both" ${count++}`);
    staging = path.join(pod.mount, '.runpod-workspaces', 'pod1', 'staging');
    ledger = new Ledger();
  });
  afterEach(() => rm(local, { recursive: true, force: true }));

  /** An edit is never in the same second as another, as people make them. */
  async function edit(root: string, files: Files): Promise<void> {
    await put(root, files);
    for (const name of Object.keys(files)) await utimes(path.join(root, name), ++clock, clock);
  }

  const nameAside = (file: string): string => asideName(file, 'pod');
  const look = (paths?: readonly string[]): Promise<Comparison> => compare(ssh, diskTree(local), target, ledger, { paths });
  const push = async (conflicts: ConflictChoice = 'keep', options: { paths?: readonly string[]; mirror?: boolean; host?: SyncHost } = {}): Promise<UploadProgress> => {
    const { paths, mirror, host = ssh } = options;
    const tree = diskTree(local);
    const plan = mirror === true ? await compare(host, tree, target, ledger, { paths }) : await planUpload(host, tree, target, ledger, { paths });
    const recycle = mirror === true ? { paths: extraThere(plan as Comparison), to: path.join(pod.mount, '.runpod-workspaces', 'pod1', 'recycled', String(++count)) } : undefined;
    return upload(host, tree, plan, ledger, { staging, ...settle(plan, conflicts, nameAside), recycle });
  };
  const bring = async (conflicts: ConflictChoice = 'keep', options: { paths?: readonly string[]; names?: LocalNames; host?: SyncHost; restore?: boolean } = {}): Promise<Pulled> => {
    const { paths, names = namesOf('linux'), host = ssh, restore = false } = options;
    const plan = planPull(await compare(host, diskTree(local), target, ledger, { paths }), { conflicts, names, restore, nameAside });
    return pull(host, local, plan.order, ledger, { names });
  };

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
    'back\\slash': 'backslash',
    'block': 'b'.repeat(512),
    'big.bin': Buffer.alloc(3 << 20, 'y'),
  };

  it('brings every file whole, with its time and mode, links and empty folders, whatever its name', async () => {
    await put(target, nasty);
    await chmod(path.join(target, 'train.py'), 0o755);
    await utimes(path.join(target, 'empty'), 1_000_000_000, 1_000_000_000);
    await symlink('src/deep', path.join(target, 'link'));
    await mkdir(path.join(target, 'nothing/here'), { recursive: true });
    const done = await bring();
    assert.deepEqual(await snapshot(local), await snapshot(target));
    assert.equal((await lstat(path.join(local, 'train.py'))).mode & 0o777, 0o755);
    assert.equal((await lstat(path.join(local, 'empty'))).mtimeMs, 1_000_000_000_000);
    assert.deepEqual([done.files, done.links, done.failed], [Object.keys(nasty).length, 1, []]);
    const again = await look();
    assert.deepEqual([again.send, again.onlyThere, again.newer, again.conflicts, again.unchanged], [[], [], [], [], Object.keys(nasty).length]);
  });

  it('works with the tools of BusyBox alone', async () => {
    const tools = path.join(pod.mount, 'busybox');
    await mkdir(tools);
    for (const tool of ['sh', 'cat', 'xargs', 'stat', 'tar', 'mv', 'mkdir', 'rm', 'ln', 'find', 'chmod', 'rmdir', 'sha256sum']) await symlink('/usr/bin/busybox', path.join(tools, tool));
    const busy = (command: string): string => command.replace('exec /bin/sh', `PATH=${tools}; export PATH; exec ${tools}/sh`);
    const host: SyncHost = { exec: (command, how) => ssh.exec(busy(command), how), run: (command, how) => ssh.run(busy(command), how) };
    await put(target, { ...nasty, 'target.txt': 'x' });
    await symlink('target.txt', path.join(target, 'link'));
    await mkdir(path.join(target, 'nothing'));
    await bring('keep', { host });
    assert.deepEqual(await snapshot(local), await snapshot(target));
    await edit(target, { 'extra/x': '1' });
    await push('keep', { host, mirror: true });
    assert.deepEqual(await snapshot(local), await snapshot(target));
  });

  it('sends empty folders, links and changed modes, and nothing twice', async () => {
    await put(local, { 'run.sh': '#!/bin/sh\n', 'a/b.py': '1' });
    await mkdir(path.join(local, 'data/raw'), { recursive: true });
    await symlink('a', path.join(local, 'link'));
    await push();
    assert.deepEqual(await snapshot(target), await snapshot(local));
    await chmod(path.join(local, 'run.sh'), 0o755);
    await push();
    assert.equal((await lstat(path.join(target, 'run.sh'))).mode & 0o777, 0o755);
    await chmod(path.join(target, 'a/b.py'), 0o700);
    await bring();
    assert.equal((await lstat(path.join(local, 'a/b.py'))).mode & 0o777, 0o700);
    const last = await look();
    assert.deepEqual([last.modes, last.modesThere, last.folders, last.links], [[], [], [], []]);
  });

  it('takes each side’s changes to the other, and asks about what both changed', async () => {
    await edit(local, { 'here.py': '1', 'there.py': '1', 'both.py': '1' });
    await push();
    await edit(local, { 'here.py': 'mine', 'both.py': 'mine!' });
    await edit(target, { 'there.py': 'theirs', 'both.py': 'theirs', 'out/result.csv': 'a,b' });
    const found = await look();
    const names = (files: readonly { path: string }[]): string[] => files.map((file) => file.path);
    assert.deepEqual([names(found.send), names(found.newer), names(found.conflicts), names(found.onlyThere)], [['here.py'], ['there.py'], ['both.py'], ['out/result.csv']]);
    await push();
    await bring();
    assert.deepEqual(await snapshot(local), { 'here.py': 'mine', 'there.py': 'theirs', 'both.py': 'mine!', 'out/result.csv': 'a,b' });
    assert.deepEqual(await snapshot(target), { 'here.py': 'mine', 'there.py': 'theirs', 'both.py': 'theirs', 'out/result.csv': 'a,b' });
    await bring('both');
    assert.deepEqual(await readFile(path.join(local, 'both (pod).py'), 'utf8'), 'theirs');
    await push();
    assert.deepEqual(await snapshot(target), await snapshot(local));
    assert.equal((await snapshot(target))['both.py'], 'mine!');
  });

  it('keeps both versions on the pod where it is told to', async () => {
    await edit(local, { 'a.py': 'mine' });
    await edit(target, { 'a.py': 'their' });
    await push('both');
    assert.deepEqual(await snapshot(target), { 'a.py': 'mine', 'a (pod).py': 'their' });
  });

  it('leaves alone what changes here while it is brought', async () => {
    await edit(local, { 'a.py': '1' });
    await push();
    await edit(target, { 'a.py': 'theirs' });
    const plan = planPull(await look(), { conflicts: 'keep', names: namesOf('linux'), restore: false, nameAside });
    await edit(local, { 'a.py': 'typed just now' });
    const done = await pull(ssh, local, plan.order, ledger, { names: namesOf('linux') });
    assert.deepEqual([done.files, done.changedHere], [0, ['a.py']]);
    assert.deepEqual(await snapshot(local), { 'a.py': 'typed just now' });
    assert.equal((await look()).conflicts.length, 1);
  });

  it('leaves what changes on the pod while it is read for the next time', async () => {
    await edit(target, { 'a.log': '1', 'b.py': '2' });
    const plan = planPull(await look(), { conflicts: 'keep', names: namesOf('linux'), restore: false, nameAside });
    await edit(target, { 'a.log': '1, 2' });
    const done = await pull(ssh, local, plan.order, ledger, { names: namesOf('linux') });
    assert.deepEqual([done.files, done.changedThere], [1, ['a.log']]);
    assert.equal((await bring()).files, 1);
    assert.deepEqual(await snapshot(local), await snapshot(target));
  });

  it('does not bring back what was deleted here, unless asked', async () => {
    await edit(local, { 'a.py': '1', 'b.py': '2' });
    await push();
    await rm(path.join(local, 'a.py'));
    await bring();
    assert.deepEqual(await snapshot(local), { 'b.py': '2' });
    await bring('keep', { restore: true });
    assert.deepEqual(await snapshot(local), { 'a.py': '1', 'b.py': '2' });
  });

  it('mirrors by moving what is only there to the recycle folder; what is ignored stays', async () => {
    await edit(local, { 'a.py': '1', '.gitignore': '*.ckpt\n' });
    await edit(target, { 'old/x.py': 'x', 'old/deep/y.py': 'y', 'w.ckpt': 'weights', '.venv/bin/python': 'elf', 'keep/w.ckpt': 'w' });
    await push('keep', { mirror: true });
    assert.deepEqual(await snapshot(target), { 'a.py': '1', '.gitignore': '*.ckpt\n', 'w.ckpt': 'weights', '.venv/bin/python': 'elf', 'keep/w.ckpt': 'w' });
    const kept = await snapshot(path.join(pod.mount, '.runpod-workspaces', 'pod1', 'recycled', String(count)));
    assert.deepEqual(kept, { 'old/x.py': 'x', 'old/deep/y.py': 'y' });
  });

  it('takes a part of the folder, and what is named though it is ignored or looks like a secret', async () => {
    await edit(local, { '.gitignore': 'data/\n', 'data/x.csv': '1', 'data/.env': 's', 'src/a.py': '1', 'src/.env': 'k', 'other.py': '1' });
    await push('keep', { paths: ['src', 'data'] });
    assert.deepEqual(await snapshot(target), { 'data/x.csv': '1', 'src/a.py': '1' });
    await push('keep', { paths: ['src/.env'] });
    assert.deepEqual(await snapshot(target), { 'data/x.csv': '1', 'src/a.py': '1', 'src/.env': 'k' });
    await edit(target, { 'data/new.csv': '2', 'elsewhere.py': '2' });
    await bring('keep', { paths: ['data'] });
    assert.equal((await snapshot(local))['data/new.csv'], '2');
    assert.equal((await snapshot(local))['elsewhere.py'], undefined);
  });

  it('names what this computer cannot hold, and leaves it', async () => {
    await edit(target, { 'Readme.md': '1', 'README.md': '2', 'aux.py': '3', 'a:b': '4', 'fine.py': '5', 'Dir/x': '6', 'dir/y': '7' });
    const found = await look();
    const plan = planPull(found, { conflicts: 'keep', names: { windows: true, folds: true }, restore: false, nameAside });
    assert.deepEqual(plan.unplaceable.map(({ path: name }) => name).sort(), ['Readme.md', 'a:b', 'aux.py', 'dir/y']);
    await pull(ssh, local, plan.order, ledger, { names: { windows: true, folds: true } });
    assert.deepEqual(Object.keys(await snapshot(local)).sort(), ['Dir/x', 'README.md', 'fine.py']);
  });

  it('names what would fall upon a file that is the same on both sides, in another case or with its accents written otherwise', async () => {
    const [composed, decomposed] = ['caf\u00e9.py', 'cafe\u0301.py'];
    await edit(local, { 'Readme.md': '1', [composed]: '2' });
    await push('keep');
    await edit(target, { 'README.md': '3', [decomposed]: '4', 'fine.py': '5' });
    const names = { windows: false, folds: true };
    const plan = planPull(await look(), { conflicts: 'keep', names, restore: false, nameAside });
    assert.deepEqual(plan.unplaceable, [{ path: 'README.md', beside: 'Readme.md' }, { path: decomposed, beside: composed }]);
    assert.deepEqual(plan.order.files.map(({ path: name }) => name), ['fine.py']);
    await pull(ssh, local, plan.order, ledger, { names });
    assert.deepEqual(await snapshot(local), { 'Readme.md': '1', [composed]: '2', 'fine.py': '5' });
  });

  it('writes nothing outside the folder, whatever the pod sends', async () => {
    const outside = await mkdtemp(path.join(os.tmpdir(), 'sync-outside-'));
    try {
      await symlink(outside, path.join(local, 'sub'));
      await edit(target, { 'sub/evil.py': 'x', 'ok.py': '1' });
      await symlink('../../../etc', path.join(target, 'out'));
      const done = await bring();
      assert.deepEqual(await snapshot(outside), {});
      assert.deepEqual(Object.keys(await snapshot(local)).sort(), ['ok.py', 'sub']);
      assert.ok(done.blocked.includes('out'));
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  /** A connection that ends after so many bytes, in either direction. */
  function cutAfter(bytes: number): Promise<{ host: SyncHost; end: () => void }> {
    return pod.connect().then((connection) => ({
      end: () => connection.end(),
      host: {
        run: (command, how) => connection.run(command, how),
        async exec(command, how) {
          const channel = await connection.exec(command, how);
          let left = bytes;
          const count = (piece: Uint8Array): void => {
            left -= piece.length;
            if (left <= 0) connection.end();
          };
          const write = channel.write.bind(channel) as (chunk: Uint8Array) => boolean;
          channel.write = (chunk: Uint8Array): boolean => {
            if (chunk.length > left && left > 0) {
              const on = write(chunk.subarray(0, left));
              count(chunk);
              return on;
            }
            count(chunk);
            return write(chunk);
          };
          const emit = channel.emit.bind(channel);
          channel.emit = (event: string, ...args: unknown[]): boolean => {
            if (event === 'data' && args[0] instanceof Uint8Array) count(args[0]);
            return emit(event, ...args);
          };
          return channel;
        },
      },
    }));
  }

  it('has nothing half-written when it is cut at any byte, and the next one finishes', async () => {
    const big = (letter: string): string => letter + randomBytes(150_000).toString('base64');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 420_000 }), fc.constantFrom('push', 'pull'), async (bytes, way) => {
        target = path.join(pod.mount, `cut ${count++}`);
        await rm(local, { recursive: true });
        await mkdir(local);
        ledger = new Ledger();
        const [from, to] = way === 'push' ? [local, target] : [target, local];
        const old = { a: 'old', 'd/b': 'old' };
        await edit(local, old);
        await push();
        const fresh = { a: big('a'), 'd/b': big('b'), c: 'c' };
        await edit(from, fresh);
        const { host, end } = await cutAfter(bytes);
        await (way === 'push' ? push('keep', { host }) : bring('keep', { host })).then(
          () => undefined,
          (error: unknown) => assert.ok(error instanceof UploadError || (error instanceof Error && /clos|lost|gone|end/i.test(error.message)), String(error)),
        );
        end();
        const seen = await snapshot(to);
        for (const [name, content] of Object.entries(seen)) {
          if (name.startsWith('.runpod-staging')) assert.fail(`${name} was left behind`);
          assert.ok(content === (old as Record<string, string>)[name] || content === (fresh as Record<string, string>)[name], `${name} is neither old nor new`);
        }
        await (way === 'push' ? push() : bring());
        assert.deepEqual(await snapshot(to), await snapshot(from));
      }),
      { numRuns: 16, seed: 3 },
    );
  });

  it('ends as a model says, after any edits on both sides', async () => {
    const name = fc.constantFrom('a', 'b', `it's`, 'd/x', 'd/y', 'e/f/g');
    const change = fc.record({ side: fc.constantFrom('local' as const, 'pod' as const), name, content: fc.option(fc.string({ maxLength: 12 })) });
    const step = fc.record({ changes: fc.array(change, { maxLength: 5 }), conflicts: fc.constantFrom<ConflictChoice>('overwrite', 'keep') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 3 }), async (steps) => {
        await rm(local, { recursive: true });
        await mkdir(local);
        target = path.join(pod.mount, `model ${count++}`);
        ledger = new Ledger();
        /** What each side has, and what both had last, each by content and a number that no two edits share. */
        interface Version { readonly text: string; readonly edit: number }
        const [here, there, base] = [new Map<string, Version>(), new Map<string, Version>(), new Map<string, Version>()];
        for (const { changes, conflicts } of steps) {
          for (const { side, name: file, content } of changes) {
            const [root, model] = side === 'local' ? [local, here] : [target, there];
            if (content === null) {
              await rm(path.join(root, file), { force: true });
              model.delete(file);
            } else {
              await edit(root, { [file]: content });
              model.set(file, { text: content, edit: clock });
            }
          }
          await push(conflicts);
          await bring();
          for (const file of new Set([...here.keys(), ...there.keys()])) {
            const [mine, theirs, common] = [here.get(file), there.get(file), base.get(file)];
            const agree = (version: Version): void => {
              for (const side of [here, there, base]) side.set(file, version);
            };
            const known = (version: Version): boolean => common?.edit === version.edit;
            if (mine === undefined && theirs !== undefined) {
              if (!known(theirs)) agree(theirs);
            } else if (mine !== undefined && theirs === undefined) agree(mine);
            else if (mine !== undefined && theirs !== undefined) {
              if (mine.text === theirs.text) agree(mine.edit === common?.edit ? theirs : mine);
              else if (known(theirs)) agree(mine);
              else if (known(mine)) agree(theirs);
              else if (conflicts === 'overwrite') agree(mine);
            }
          }
          const texts = (model: ReadonlyMap<string, Version>): Record<string, string> => Object.fromEntries([...model].map(([file, { text }]) => [file, Buffer.from(text).toString('latin1')]));
          const files = async (root: string): Promise<Record<string, string>> => Object.fromEntries(Object.entries(await snapshot(root)).filter(([, content]) => content !== '/'));
          assert.deepEqual([await files(local), await files(target)].map(sorted), [texts(here), texts(there)].map(sorted));
        }
      }),
      { numRuns: 15, seed: 11 },
    );
  });
});

const sorted = (record: Record<string, string>): [string, string][] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
