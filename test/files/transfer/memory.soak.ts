import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { startPod } from '../pod';

const size = 2_000_000_000;
const allowed = 100_000_000;

describe('a transfer of 2 GB', function () {
  this.timeout(10 * 60_000);

  it('grows the process by under 100 MB, in either direction', async () => {
    const pod = await startPod();
    const here = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-here-'));
    try {
      execFileSync('truncate', ['-s', String(size), pod.at('big')]);
      // What the connection and the first buffers take is there before.
      await fs.writeFile(pod.at('small'), Buffer.alloc(20_000_000));
      await pod.files.transfer(await pod.files.planDownload([pod.at('small')], here));
      for (const plan of [await pod.files.planDownload([pod.at('big')], here), undefined]) {
        const before = process.memoryUsage.rss();
        let most = 0;
        await pod.files.transfer(plan ?? (await pod.files.planUpload([path.join(here, 'big')], pod.at('to'))), {
          onProgress: () => void (most = Math.max(most, process.memoryUsage.rss())),
        });
        assert.ok(most - before < allowed, `${Math.round((most - before) / 1e6)} MB more`);
      }
      assert.equal((await fs.stat(pod.at('to/big'))).size, size);
    } finally {
      await pod.stop();
      await fs.rm(here, { recursive: true, force: true });
    }
  });
});
