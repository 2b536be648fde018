import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { diskTree } from '../../src/sync/diskTree';
import { walk } from '../../src/sync/ignore';

const run = promisify(execFile);

describe('a folder on the disk of a Windows computer', () => {
  let root: string;
  const { readdir } = fs.promises;
  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), 'runpod-test-'));
  });
  afterEach(() => {
    fs.promises.readdir = readdir;
    fs.rmSync(root, { recursive: true });
  });

  it('is sent though OneDrive keeps it, where a listing calls everything a link', async () => {
    fs.mkdirSync(join(root, 'src'));
    fs.writeFileSync(join(root, 'src', 'train.py'), 'print(1)');
    fs.symlinkSync('train.py', join(root, 'src', 'latest.py'));
    fs.symlinkSync('/etc', join(root, 'out'));
    const asLinks = async (...words: Parameters<typeof readdir>): Promise<fs.Dirent[]> =>
      ((await readdir(...words)) as unknown as fs.Dirent[]).map((entry) => Object.assign(Object.create(entry) as fs.Dirent, { name: entry.name, isFile: () => false, isDirectory: () => false, isSymbolicLink: () => true }));
    fs.promises.readdir = asLinks as unknown as typeof readdir;
    const found = await walk({ ...diskTree(root, 'win32'), repository: async () => undefined });
    assert.deepEqual([found.files, found.links, found.odd], [['src/train.py'], [{ path: 'src/latest.py', target: 'train.py' }], ['out']]);
  });

  it('has links that cannot be read, files that git runs, and patterns in any case', async () => {
    fs.writeFileSync(join(root, 'run.sh'), '#!/bin/sh\n');
    fs.writeFileSync(join(root, 'data.bin'), '');
    await run('git', ['init', '-q', root]);
    await run('git', ['-C', root, 'add', '.']);
    await run('git', ['-C', root, 'update-index', '--chmod=+x', 'run.sh']);
    const tree = diskTree(root, 'win32');
    assert.equal(await tree.readLink('data.bin'), undefined);
    assert.equal((await tree.stat('run.sh')).mode, 0o755);
    assert.equal((await tree.stat('data.bin')).mode, undefined);
    assert.equal(tree.ignoreCase, true);
  });

  it('names accents on macOS as every other computer does', async () => {
    fs.writeFileSync(join(root, 'cafe\u0301.txt'), '');
    assert.deepEqual((await diskTree(root, 'darwin').list('')).map(({ name }) => name), ['caf\u00e9.txt']);
  });
});
