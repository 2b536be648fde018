import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { readWordsFrom } from '../../../src/files/ignore/ignoreFiles';
import { searchFolder } from '../../../src/files/search/search';
import { startPod, type TestPod } from '../pod';
import { bigTreeFiles, makeBigTree } from './bigTree';
import { toolFolder } from './tools';

/** Milliseconds to the first results over a link with a 50 ms round trip; a test fails at five times that. */
const firstResultsMs = 300;

describe('search in a tree of 50,000 files, with grep alone', function () {
  this.timeout(300_000);
  let pod: TestPod;
  let bin: string;

  before(async () => {
    bin = await mkdtemp(path.join(os.tmpdir(), 'runpod-search-'));
    pod = await startPod({ sshd: { env: { PATH: await toolFolder(bin, 'grep') } } });
    makeBigTree(pod.dir);
    await writeFile(pod.at('.gitignore'), '*.json\n');
    pod.link.shape({ rttMs: 50 });
    await pod.files.list(pod.dir);
  });
  after(async () => {
    await pod.stop();
    await rm(bin, { recursive: true });
  });

  it('has first results soon and after few round trips, and all of them in the end', async () => {
    const said: string[] = [];
    // A disturbance by other work passes, so a search that was disturbed is made anew; a slow one is slow each time.
    for (let search = 0; search < 4; search++) {
      const began = performance.now();
      const flights = pod.link.counts.flightsUp;
      let first: { ms: number; trips: number } | undefined;
      const summary = await searchFolder(pod.host, readWordsFrom(pod.files), pod.dir, { text: 'needle' }, {
        onMatches: () => {
          first ??= { ms: performance.now() - began, trips: pod.link.counts.flightsUp - flights };
        },
      });
      assert.ok(first !== undefined);
      // A hundred files hold it, every third of them ignored.
      assert.ok(summary.files > 50 && summary.files < 100, String(summary.files));
      assert.equal(summary.engine, 'grep');
      said.push(`first results after ${first.ms.toFixed(0)} ms and ${first.trips} round trips, all of ${bigTreeFiles} files after ${(performance.now() - began).toFixed(0)} ms`);
      console.log(`      ${said.at(-1)}`);
      if (first.trips <= 4 && first.ms <= 5 * firstResultsMs) return;
    }
    assert.fail(said.join('\n'));
  });
});
