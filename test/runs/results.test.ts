import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { matchingPaths } from '../../src/runs/results';
import { RunRig } from './detachedRig';

describe('results of a run', () => {
  const rig = new RunRig();
  before(() => rig.beginPod());
  after(() => rig.end());

  it('are what the patterns name, and nothing that a shell would make of them', async () => {
    for (const name of ['outputs/a', 'runs/1/best.pt', 'runs/2/best.pt', 'loss.csv', 'two words.csv', `it's.csv`, 'other.log']) {
      await mkdir(path.dirname(path.join(rig.dir, name)), { recursive: true });
      await writeFile(path.join(rig.dir, name), '');
    }
    const find = async (...patterns: string[]): Promise<string[]> => (await matchingPaths(rig.session, rig.dir, patterns)).sort();
    assert.deepEqual(await find('outputs/', './loss.csv'), ['loss.csv', 'outputs']);
    assert.deepEqual(await find('*.csv'), [`it's.csv`, 'loss.csv', 'two words.csv']);
    assert.deepEqual(await find('runs/[12]/best.??'), ['runs/1/best.pt', 'runs/2/best.pt']);
    assert.deepEqual(await find('two words.csv', `it's*`), [`it's.csv`, 'two words.csv']);
    assert.deepEqual(await find('missing/', '../*', '', '/'), []);
    await find('$(touch made)', '`touch made`', '; touch made', '*; touch made', '[$(touch made)]', '[`touch made`]*');
    assert.equal(existsSync(path.join(rig.dir, 'made')), false);
  });

  it('are none that were not asked for, whatever a pod says', async () => {
    const said = ['outputs', '.git/hooks/post-checkout', '../.bashrc', '/etc/passwd', 'outputs/../.vscode/tasks.json', 'runs/1/best.pt', 'runs/x/y/best.pt', '.bashrc', 'a.csv', 'a.csv/b', 'c.txt', 'outputs/', 'runs/./best.pt'];
    const lying = { run: async () => ({ stdout: Buffer.from(said.join('\0')), stderr: Buffer.alloc(0), code: 0 }) };
    assert.deepEqual(await matchingPaths(lying, '/workspace', ['outputs/', 'runs/*/best.pt', '[!c].csv', '*.txt']), ['outputs', 'runs/1/best.pt', 'a.csv', 'c.txt']);
    assert.deepEqual(await matchingPaths(lying, '/workspace', ['[z-a]', '[]', 'x.*', '$HOME', '*bashrc', '?bashrc', '[.]bashrc']), []);
  });
});
