import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { whileBusy } from '../../src/base/whileBusy';
import { Claim } from '../../src/base/claim';
import { place } from '../../src/files/transfer/thisComputer';
import { pinFile } from '../../src/ssh/pinFile';
import { whereFilesAreInUse } from '../support/windows';

const refused = (code: string): Error => Object.assign(new Error(code), { code });

describe('a file that somebody has open on Windows', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), 'runpod-test-'));
  });
  afterEach(() => fs.rm(folder, { recursive: true }));

  it('is waited for there, for a moment, and nowhere else', async () => {
    const tries = async (code: string, times: number, platform: NodeJS.Platform): Promise<number> => {
      let count = 0;
      await whileBusy(async () => {
        if (++count <= times) throw refused(code);
      }, platform).catch((error: unknown) => assert.equal((error as { code?: string }).code, code));
      return count;
    };
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) assert.equal(await tries(code, 2, 'win32'), 3, code);
    assert.equal(await tries('ENOENT', 9, 'win32'), 1);
    assert.equal(await tries('EPERM', 9, 'linux'), 1);
    assert.equal(await tries('EACCES', 99, 'win32'), 7, 'not for ever');
  });

  it('does not keep host keys and the SSH configuration from being written', async () => {
    const file = join(folder, 'host-keys.json');
    await fs.writeFile(file, 'old');
    await whereFilesAreInUse({ rename: { code: 'EPERM', times: 2 }, open: { code: 'EBUSY', times: 1 }, rm: { code: 'EBUSY', times: 1 } }, async () => {
      const pins = pinFile(file);
      await pins.exclusive?.(() => pins.write('new'));
    });
    assert.equal(await fs.readFile(file, 'utf8'), 'new');
    assert.deepEqual(await fs.readdir(folder), ['host-keys.json'], 'neither a lock nor a half is left');
  });

  it('does not lose a download that has arrived', async () => {
    const [temp, to] = [join(folder, '.part'), join(folder, 'model.bin')];
    await fs.writeFile(temp, 'all of it');
    await fs.writeFile(to, 'old');
    const calls = await whereFilesAreInUse({ rename: { code: 'EPERM', times: 1 } }, () => place(temp, to, true));
    assert.equal(calls.get('rename'), 2);
    assert.equal(await fs.readFile(to, 'utf8'), 'all of it');
    await fs.writeFile(temp, 'another');
    await whereFilesAreInUse({ rm: { code: 'EBUSY', times: 1 } }, () => place(temp, join(folder, 'second.bin'), false));
    assert.deepEqual((await fs.readdir(folder)).sort(), ['model.bin', 'second.bin']);
  });

  it('does not keep a window from taking over what a dead one has left', async () => {
    const file = join(folder, 'watch.claim');
    await fs.writeFile(file, 'somebody');
    await fs.utimes(file, 0, 0);
    const claim = new Claim(file, { settleMs: 1 });
    await whereFilesAreInUse({ rm: { code: 'EBUSY', times: 1 } }, async () => assert.equal(await claim.take(), true));
    claim.dispose();
  });
});
