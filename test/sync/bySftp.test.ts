import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { SshConnection } from '../../src/ssh/connection';
import { bringBySftp, sendBySftp } from '../../src/sync/bySftp';
import { extraThere, planPull, settle, type ConflictChoice } from '../../src/sync/decide';
import { bringLarge, sendLarge } from '../../src/sync/large';
import { Ledger } from '../../src/sync/ledger';
import { namesOf } from '../../src/sync/localNames';
import type { LocalTree } from '../../src/sync/localTree';
import { compare, planUpload, type Comparison } from '../../src/sync/plan';
import { UploadError } from '../../src/sync/uploadError';
import { podOf, type TestPod } from '../files/pod';
import { identityOf } from '../ssh/support';
import { startSshd } from '../support/sshd';
import { diskTree } from './diskTree';

const bytes = (seed: number, length: number): Buffer => Buffer.alloc(length, Buffer.from(Array.from({ length: 65_537 }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255)));

/** Every file below a folder with its content and mode, links as `-> target`, empty folders as `/`. */
async function snapshot(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await fs.readdir(root, { withFileTypes: true, recursive: true }).catch(() => [])) {
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, full);
    if (entry.isFile()) found[name] = `${((await fs.stat(full)).mode & 0o777).toString(8)} ${(await fs.readFile(full)).toString('latin1')}`;
    else if (entry.isSymbolicLink()) found[name] = `-> ${await fs.readlink(full)}`;
    else if ((await fs.readdir(full)).length === 0) found[name] = '/';
  }
  return found;
}

for (const shell of [false, true])
  describe(shell ? 'large files, over SSH' : 'a folder in step with a pod that has SFTP alone', () => {
    let pod: TestPod;
    let ssh: SshConnection;
    let local: string;
    let target: string;
    let ledger: Ledger;
    let clock = 1_700_000_000;

    beforeEach(async () => {
      pod = await podOf(async (key) => ({ ...(await startSshd({ authorizedKeys: [key.publicKey], ...(shell ? {} : { extraConfig: 'ForceCommand internal-sftp' }) })) }), { silenceMs: 2_000, openMs: 5_000 });
      local = await fs.mkdtemp(path.join(os.tmpdir(), 'sync-sftp-'));
      target = pod.at(`it's "here"`);
      ledger = new Ledger();
      const { host, port, username } = pod.sshd;
      ssh = await SshConnection.connect({ host, port, username, identities: [await identityOf(pod.host.key.path)], verifyHostKey: () => true });
    });
    afterEach(async () => {
      ssh.end();
      await pod.stop();
      await fs.rm(local, { recursive: true, force: true });
    });

    async function edit(root: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
      for (const [name, content] of Object.entries(files)) {
        await fs.mkdir(path.dirname(path.join(root, name)), { recursive: true });
        await fs.writeFile(path.join(root, name), content);
        await fs.utimes(path.join(root, name), ++clock, clock);
      }
    }
    const nameAside = (file: string): string => `${file} (pod)`;
    const look = (tree: LocalTree = diskTree(local)): Promise<Comparison> => compare(ssh, tree, target, ledger, { sftp: pod.files });
    const push = async (conflicts: ConflictChoice = 'keep', how: { mirror?: boolean; tree?: LocalTree; root?: string | undefined } = {}) => {
      const tree = how.tree ?? diskTree(local);
      const plan = await look(tree);
      const recycle = how.mirror === true ? { paths: extraThere(plan), to: pod.at('.ours/recycled/1') } : undefined;
      return sendBySftp(pod.files, tree, 'root' in how ? how.root : local, plan, ledger, { ...settle(plan, conflicts, nameAside), recycle });
    };
    const bring = async (conflicts: ConflictChoice = 'keep') => bringBySftp(pod.files, local, planPull(await look(), { conflicts, names: namesOf('linux'), restore: false, nameAside }).order, ledger, { names: namesOf('linux') });
    const names = (files: readonly { path: string }[]): string[] => files.map((file) => file.path);

    if (!shell) {
      it('is found out, and goes both ways whole: odd names, modes, times, links, empty folders', async () => {
        await assert.rejects(planUpload(ssh, diskTree(local), target, ledger), (error: unknown) => error instanceof UploadError && error.code === 'missing-tool');
        await assert.rejects(compare(ssh, diskTree(local), target, ledger), (error: unknown) => error instanceof UploadError && error.code === 'missing-tool');
        await edit(local, { 'a.py': '1', [`d/it's\n"odd" $x.txt`]: 'odd', 'e/f/g': '', 'run.sh': '#!/bin/sh\n' });
        await fs.chmod(path.join(local, 'run.sh'), 0o755);
        await fs.mkdir(path.join(local, 'empty/inner'), { recursive: true });
        await fs.symlink('d', path.join(local, 'link'));
        assert.deepEqual((await push()).failed, []);
        assert.deepEqual(await snapshot(target), await snapshot(local));
        const again = await look();
        assert.deepEqual([again.send, again.conflicts, again.newer, again.onlyThere, again.links, again.folders], [[], [], [], [], [], []]);
        await edit(target, { 'out/result.csv': 'a,b', 'a.py': '22' });
        await fs.chmod(path.join(target, 'run.sh'), 0o700);
        await fs.symlink('a.py', path.join(target, 'other'));
        await fs.symlink('/etc/passwd', path.join(target, 'outside'));
        await fs.mkdir(path.join(target, 'nothing'));
        const brought = await bring();
        assert.deepEqual([brought.files, brought.links, brought.blocked], [2, 1, ['outside']]);
        assert.deepEqual({ ...(await snapshot(local)), outside: '-> /etc/passwd' }, await snapshot(target));
        await fs.chmod(path.join(local, 'a.py'), 0o600);
        await push();
        assert.equal((await fs.stat(path.join(target, 'a.py'))).mode & 0o777, 0o600);
      });

      it('overwrites nothing unasked, keeps both where told to, and mirrors into the recycle folder', async () => {
        await edit(local, { 'a.py': 'mine', 'b.py': 'mine' });
        await edit(target, { 'a.py': 'theirs', 'old/x.py': 'old', 'old/y.py': 'old' });
        await push();
        assert.equal((await fs.readFile(path.join(target, 'a.py'))).toString(), 'theirs');
        await push('both', { mirror: true });
        assert.deepEqual(await snapshot(target), { 'a.py': '644 mine', 'a.py (pod)': '644 theirs', 'b.py': '644 mine' });
        assert.deepEqual(await snapshot(pod.at('.ours/recycled/1')), { 'old/x.py': '644 old', 'old/y.py': '644 old' });
        assert.deepEqual(names((await look()).onlyThere), ['a.py (pod)']);
      });

      it('replaces a link, never what it leads to', async () => {
        await edit(local, { 'a.py': 'mine' });
        await edit(pod.dir, { 'elsewhere': 'kept' });
        await fs.mkdir(target);
        await fs.symlink('../elsewhere', path.join(target, 'a.py'));
        await push('overwrite');
        assert.deepEqual(await snapshot(target), { 'a.py': '644 mine' });
        assert.equal(await fs.readFile(pod.at('elsewhere'), 'utf8'), 'kept');
      });

      it('takes a folder that only the editor can read', async () => {
        await edit(local, { 'a.py': '1', 'd/b.py': '2' });
        const disk = diskTree(local, { mode: false });
        assert.equal((await push('keep', { tree: disk, root: undefined })).files, 2);
        assert.deepEqual(await snapshot(target), { 'a.py': '644 1', 'd/b.py': '644 2' });
        assert.deepEqual((await look(disk)).unchanged, 2);
      });
    }

    const size = 48_000_000;
    const cutAt = 44_000_000;
    const many = { patienceMs: 0 } as const;

    it('resumes a large file after a cut without sending again what is there', async () => {
      await edit(local, { 'model.bin': bytes(1, size) });
      const found = await look();
      pod.link.shape({ cutAfterBytesUp: cutAt });
      const refused = pod.host.onDown(() => pod.link.shape({ fault: 'refuse' }));
      await assert.rejects(sendLarge(pod.files, target, found.send, local, ledger, many));
      assert.deepEqual(Object.keys(await snapshot(target)).filter((name) => !name.startsWith('.runpod-save-')), [], 'nothing under its real name');
      refused.dispose();
      pod.link.shape({});
      const before = pod.link.counts.bytesUp;
      await sendLarge(pod.files, target, (await look()).send, local, ledger, many);
      const sent = pod.link.counts.bytesUp - before;
      assert.ok(sent < size - 5_000_000, `${sent} bytes for the rest of ${size}`);
      assert.ok((await fs.readFile(path.join(target, 'model.bin'))).equals(bytes(1, size)));
      assert.deepEqual(Object.keys(await snapshot(target)), ['model.bin']);
      assert.equal((await look()).unchanged, 1);
    });

    if (!shell) it('resumes the way back likewise', async () => {
      await edit(target, { 'model.bin': bytes(2, size) });
      const order = planPull(await look(), { conflicts: 'keep', names: namesOf('linux'), restore: false, nameAside }).order;
      pod.link.shape({ cutAfterBytesDown: cutAt });
      const refused = pod.host.onDown(() => pod.link.shape({ fault: 'refuse' }));
      await assert.rejects(bringLarge(pod.files, target, order.files, local, ledger, many));
      refused.dispose();
      pod.link.shape({});
      // What was begun is nobody's file.
      assert.deepEqual([names((await look()).send), names((await look()).onlyThere)], [[], ['model.bin']]);
      const before = pod.link.counts.bytesDown;
      await bringLarge(pod.files, target, order.files, local, ledger, many);
      const came = pod.link.counts.bytesDown - before;
      assert.ok(came < size - 5_000_000, `${came} bytes for the rest of ${size}`);
      assert.ok((await fs.readFile(path.join(local, 'model.bin'))).equals(bytes(2, size)));
      assert.equal((await look()).unchanged, 1);
    });

    it('begins a file anew that changed in between, or that is not what was begun', async () => {
      await edit(local, { 'model.bin': bytes(1, size) });
      pod.link.shape({ cutAfterBytesUp: cutAt });
      const refused = pod.host.onDown(() => pod.link.shape({ fault: 'refuse' }));
      await assert.rejects(sendLarge(pod.files, target, (await look()).send, local, ledger, many));
      refused.dispose();
      pod.link.shape({});
      if (shell) await edit(local, { 'model.bin': bytes(5, size) });
      else {
        // A crash of the pod has taken what was not on its disk yet.
        const [part = ''] = await fs.readdir(target);
        const handle = await fs.open(path.join(target, part), 'r+');
        await handle.write(Buffer.alloc(4_000_000), 0, 4_000_000, 2_000_000);
        await handle.close();
      }
      await sendLarge(pod.files, target, (await look()).send, local, ledger, many);
      assert.ok((await fs.readFile(path.join(target, 'model.bin'))).equals(bytes(shell ? 5 : 1, size)));
    });

    it('leaves alone what changed on the side it goes to, and writes through no link', async () => {
      await edit(local, { 'model.bin': bytes(1, 20_000_000) });
      await sendLarge(pod.files, target, (await look()).send, local, ledger);
      await edit(local, { 'model.bin': bytes(2, 20_000_000) });
      const found = await look();
      await edit(target, { 'model.bin': 'changed by a run' });
      assert.deepEqual((await sendLarge(pod.files, target, found.send, local, ledger)).changedThere, ['model.bin']);
      assert.equal(await fs.readFile(path.join(target, 'model.bin'), 'utf8'), 'changed by a run');

      const outside = await fs.mkdtemp(path.join(os.tmpdir(), 'sync-sftp-outside-'));
      try {
        await fs.symlink(outside, path.join(local, 'sub'));
        await edit(target, { 'sub/evil.bin': bytes(3, 100) });
        const order = planPull(await look(), { conflicts: 'keep', names: namesOf('linux'), restore: false, nameAside }).order;
        const brought = await bringLarge(pod.files, target, order.files, local, ledger);
        assert.deepEqual([await fs.readdir(outside), brought.blocked.concat(brought.changedHere)], [[], order.files.map((file) => file.path)]);
      } finally {
        await fs.rm(outside, { recursive: true });
      }
    });
  });
