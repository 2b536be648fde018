import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { CancelledError } from '../../../src/base/errors';
import { listFiles, type ListOptions } from '../../../src/files/find/listFiles';
import { readWordsFrom } from '../../../src/files/ignore/ignoreFiles';
import { SearchError } from '../../../src/files/search/query';
import { startPod, type TestPod } from '../pod';
import { toolFolder, toolSets } from '../search/tools';

for (const set of toolSets)
  describe(`listing all files with what comes with ${set}`, () => {
    let pod: TestPod;
    let bin: string;

    before(async () => {
      bin = await mkdtemp(path.join(os.tmpdir(), 'runpod-find-'));
      pod = await startPod({ sshd: { env: { PATH: await toolFolder(bin, set) } } });
      const tree: Record<string, string> = {
        '.gitignore': '*.log\n/out/\n!important.log\n', 'train.py': '', 'a.log': '', 'important.log': '', 'out/x': '', 'src/.gitignore': '/gen\n*.tmp\n!keep.tmp\n', 'src/gen/y': '', 'src/a.tmp': '',
        'src/keep.tmp': '', 'src/deep/gen': '', "src/it's odd $x.py": '', 'größe/f': '', '.hidden/f': '', 'new\nline': '',
      };
      for (const [name, text] of Object.entries(tree)) {
        await mkdir(path.dirname(pod.at(name)), { recursive: true });
        await writeFile(pod.at(name), text);
      }
      execFileSync('git', ['init', '-q'], { cwd: pod.dir });
      await symlink('train.py', pod.at('link'));
      for (const folder of ['.venv/lib', 'node_modules/m', '.runpod-workspaces/x']) {
        await mkdir(pod.at(folder), { recursive: true });
        await writeFile(pod.at(`${folder}/f`), '');
      }
    });
    after(async () => {
      await pod.stop();
      await rm(bin, { recursive: true });
    });

    const list = (folder = pod.dir, more: Partial<ListOptions> = {}) => listFiles(pod.host, pod.files, readWordsFrom(pod.files), folder, { exclude: ['.venv', '**/node_modules'], ...more });

    it('agrees with git about what is ignored', async () => {
      const git = execFileSync('git', ['-c', 'core.quotePath=false', 'ls-files', '-coz', '--exclude-standard'], { cwd: pod.dir }).toString().split('\0');
      const expected = git.filter((name) => name !== '' && name !== 'link' && !/^(\.venv|node_modules|\.runpod-workspaces)\//.test(name)).sort();
      const heard: string[] = [];
      const { paths, limited } = await list(pod.dir, { onPaths: (some) => heard.push(...some) });
      assert.deepEqual([...paths].sort(), expected);
      assert.equal(limited, false);
      for (const name of expected) assert.ok(heard.includes(name), name);
    });

    it('heeds the rules above the folder', async () => {
      await writeFile(pod.at('src/deep/b.log'), '');
      assert.deepEqual([...(await list(pod.at('src/deep'))).paths], ['gen']);
      await rm(pod.at('src/deep/b.log'));
    });

    it('ends at a limit, and when nobody waits any more', async () => {
      assert.equal((await list(pod.dir, { maxFiles: 3 })).limited, true);
      const abort = new AbortController();
      abort.abort();
      await assert.rejects(list(pod.dir, { signal: abort.signal }), CancelledError);
      await assert.rejects(list(pod.at('none')), (error) => error instanceof SearchError && error.code === 'not-found');
    });
  });
