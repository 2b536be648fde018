import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { copyBetween } from '../../src/files/pod/between';
import { isFileError } from '../../src/files/errors';
import { PodFiles } from '../../src/files/pod/podFiles';
import { PipeHost } from './pipeHost';

describe('from one pod to another', () => {
  it('copies folders with their modes, replaces only when told to, and leaves nothing half done', async () => {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-files-'));
    const hosts = [new PipeHost(), new PipeHost()] as const;
    const [a, b] = hosts.map((host) => new PodFiles(host)) as [PodFiles, PodFiles];
    try {
      await fs.mkdir(`${dir}/project/src`, { recursive: true });
      await fs.writeFile(`${dir}/project/run.sh`, 'run', { mode: 0o755 });
      await fs.writeFile(`${dir}/project/src/train.py`, Buffer.alloc(700_000, 'x'));
      await copyBetween(a, `${dir}/project`, b, `${dir}/copy`, { overwrite: false });
      assert.equal((await fs.stat(`${dir}/copy/run.sh`)).mode & 0o777, 0o755);
      assert.equal((await fs.readFile(`${dir}/copy/src/train.py`)).length, 700_000);
      await assert.rejects(copyBetween(a, `${dir}/project`, b, `${dir}/copy`, { overwrite: false }), (e) => isFileError(e, 'exists'));
      await fs.rm(`${dir}/project/src`, { recursive: true });
      await copyBetween(a, `${dir}/project`, b, `${dir}/copy`, { overwrite: true });
      assert.deepEqual(await fs.readdir(`${dir}/copy`), ['run.sh']);
      await fs.symlink('run.sh', `${dir}/project/link`);
      await assert.rejects(copyBetween(a, `${dir}/project`, b, `${dir}/other`, { overwrite: true }), (e) => isFileError(e, 'unsupported'));
      assert.deepEqual((await fs.readdir(dir)).sort(), ['copy', 'project']);
    } finally {
      for (const files of [a, b]) files.dispose();
      for (const host of hosts) host.end();
      await fs.rm(dir, { recursive: true, force: true });
    }
  });
});
