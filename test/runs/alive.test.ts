import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { ALIVE } from '../../src/runs/detached/layout';
import { killed } from '../support/kill';
import { until } from '../support/until';

const run = promisify(execFile);

describe('whether a run lives', () => {
  it('is not believed of a process that has ended and that nobody has buried', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'runpod-alive-'));
    // As with the first process of many containers, its parent never asks how it ended.
    const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    try {
      const pid = Number(String((await once(parent.stdout, 'data'))[0]));
      const stat = async (): Promise<string[]> => (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
      await writeFile(path.join(dir, 'pid'), `${pid} ${(await stat())[19]} 0\n`);
      const lives = (): Promise<boolean> => run('sh', ['-c', [...ALIVE, 'alive "$1"'].join('\n'), 'sh', dir]).then(() => true, () => false);
      assert.equal(await lives(), true);
      await until(async () => (await readFile(`/proc/${parent.pid}/comm`, 'utf8')) === 'sleep\n', 'a parent that does not care');
      process.kill(pid, 'SIGKILL');
      await until(async () => (await stat())[0] === 'Z', 'its death');
      assert.equal(await lives(), false);
    } finally {
      killed(-(parent.pid ?? NaN));
      await rm(dir, { recursive: true });
    }
  });
});
