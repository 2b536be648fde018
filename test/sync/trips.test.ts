import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { SshConnection } from '../../src/ssh/connection';
import { diskTree } from '../../src/sync/diskTree';
import { Ledger } from '../../src/sync/ledger';
import { planUpload } from '../../src/sync/plan';
import { upload } from '../../src/sync/upload';
import { openRelay, type LinkPort } from '../simulator/link';
import { identityOf, loginOptions } from '../ssh/support';
import { makeKeyPair, startSshd, type Sshd } from '../support/sshd';

const files = 300;

describe('what a push costs on a long line', () => {
  let dir: string;
  let sshd: Sshd;
  let link: LinkPort;
  let ssh: SshConnection;
  const ledger = new Ledger();
  const local = (): string => path.join(dir, 'here');
  const target = (): string => path.join(dir, 'there', 'project');

  before(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'sync-trips-'));
    const key = await makeKeyPair(path.join(dir, 'key'));
    sshd = await startSshd({ authorizedKeys: [key.publicKey] });
    link = await openRelay(sshd);
    ssh = await SshConnection.connect(loginOptions({ ...sshd, host: link.host }, link.port, [await identityOf(key.path)]));
    for (let i = 0; i < files; i++) {
      const name = path.join(local(), `d${i % 20}`, `f${i}.py`);
      await mkdir(path.dirname(name), { recursive: true });
      await writeFile(name, `value_${i} = compute(${i})\n`.repeat(40));
    }
  });
  after(async () => {
    ssh.end();
    await link.close();
    await sshd.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** Commands on the pod, and bytes either way. */
  async function cost(): Promise<{ commands: number; up: number; down: number; files: number }> {
    const before = { ...link.counts };
    let commands = 0;
    const host: Pick<SshConnection, 'exec' | 'run'> = { exec: (command, how) => (commands++, ssh.exec(command, how)), run: (command, how) => (commands++, ssh.run(command, how)) };
    const plan = await planUpload(host, diskTree(local()), target(), ledger);
    const sent = await upload(host, diskTree(local()), plan, ledger, { staging: path.join(dir, 'there', '.staging') });
    return { commands, up: link.counts.bytesUp - before.bytesUp, down: link.counts.bytesDown - before.bytesDown, files: sent.files };
  }

  it('is two commands for a new folder and its files compressed; one for what has not changed; two and one file for one', async () => {
    const first = await cost();
    assert.deepEqual([first.files, first.commands], [files, 2]);
    // 40 times the same line each: what comes over is a fraction of it.
    assert.ok(first.up < 120_000, `${first.up} bytes up`);
    const again = await cost();
    assert.deepEqual([again.files, again.commands], [0, 1]);
    assert.ok(again.up < 14_000 && again.down < files * 90, JSON.stringify(again));
    await writeFile(path.join(local(), 'd0', 'f0.py'), 'edited = True\n');
    const one = await cost();
    assert.deepEqual([one.files, one.commands], [1, 2]);
    assert.ok(one.up - again.up < 9_000, `${one.up} bytes up`);
  });
});
