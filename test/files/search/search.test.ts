import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { CancelledError } from '../../../src/base/errors';
import { sleep } from '../../../src/base/time';
import { readWordsFrom } from '../../../src/files/ignore/ignoreFiles';
import { isFileError } from '../../../src/files/errors';
import { type LineMatch, SearchError, type SearchQuery, type SearchSummary } from '../../../src/files/search/query';
import { type SearchOptions, searchFolder } from '../../../src/files/search/search';
import { startPod, type TestPod } from '../pod';
import { toolFolder, toolSets } from './tools';

interface Found extends SearchSummary {
  readonly found: LineMatch[];
  /** `path:line` in order. */
  readonly places: string[];
}

for (const set of toolSets)
  describe(`text search with ${set}`, () => {
    let pod: TestPod;
    let bin: string;

    before(async () => {
      bin = await mkdtemp(path.join(os.tmpdir(), 'runpod-search-'));
      pod = await startPod({ sshd: { env: { PATH: await toolFolder(bin, set) } } });
    });
    after(async () => {
      await pod.stop();
      await rm(bin, { recursive: true });
    });
    beforeEach(async () => {
      for (const name of await readdir(pod.dir)) await rm(pod.at(name), { recursive: true });
    });

    async function put(tree: Record<string, string | Buffer>): Promise<void> {
      for (const [name, content] of Object.entries(tree)) {
        await mkdir(path.dirname(pod.at(name)), { recursive: true });
        await writeFile(pod.at(name), content);
      }
    }
    async function search(query: SearchQuery, options: Partial<SearchOptions> = {}): Promise<Found> {
      const found: LineMatch[] = [];
      const summary = await searchFolder(pod.host, readWordsFrom(pod.files), pod.dir, query, { onMatches: (matches) => found.push(...matches), ...options });
      found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
      return { ...summary, found, places: found.map(({ path: file, line }) => `${file}:${line}`) };
    }
    const places = async (query: SearchQuery): Promise<string[]> => (await search(query)).places;

    it('says where, in which line and columns', async () => {
      await put({ 'train.py': 'import os\nlr = 1e-4  # lr\r\n', 'src/a b/deep.py': 'lr\n' });
      const result = await search({ text: 'lr' });
      assert.deepEqual(result.found, [
        { path: 'src/a b/deep.py', line: 1, text: 'lr', ranges: [[0, 2]] },
        { path: 'train.py', line: 2, text: 'lr = 1e-4  # lr', ranges: [[0, 2], [13, 15]] },
      ]);
      const { engine, lines, matches, files, limited } = result;
      assert.deepEqual({ engine, lines, matches, files, limited }, { engine: set, lines: 2, matches: 3, files: 2, limited: false });
      assert.deepEqual(await places({ text: 'nowhere to be found' }), []);
    });

    it('takes text as it is, whatever it holds', async () => {
      const odd = `-e $(touch x) 'a' "b" \\n [^a] .* && ; |`;
      await put({ f: `${odd}\n` });
      assert.deepEqual(await places({ text: odd }), ['f:1']);
      assert.deepEqual(await places({ text: '.' }), ['f:1']);
      assert.deepEqual(await readdir(pod.dir), ['f']);
    });

    it('minds case and words when told', async () => {
      await put({ f: 'Loss\nloss\nlossy loss\nlossy\n' });
      assert.deepEqual(await places({ text: 'loss' }), ['f:1', 'f:2', 'f:3', 'f:4']);
      assert.deepEqual(await places({ text: 'loss', caseSensitive: true }), ['f:2', 'f:3', 'f:4']);
      assert.deepEqual(await places({ text: 'loss', word: true }), ['f:1', 'f:2', 'f:3']);
      assert.deepEqual((await search({ text: 'loss', word: true, caseSensitive: true })).found.at(-1)?.ranges, [[6, 10]]);
      assert.deepEqual(await places({ text: 'LOSS$', regex: true }), ['f:1', 'f:2', 'f:3']);
    });

    it('understands the expressions of JavaScript', async () => {
      await put({ f: 'epoch 12 of 30\nepoch x\n\tlr=0.1\na/b\nfoo42bar\n' });
      assert.deepEqual(await places({ text: 'epoch \\d+', regex: true }), ['f:1']);
      assert.deepEqual(await places({ text: '^\\s+lr=[\\d.]+$', regex: true }), ['f:3']);
      assert.deepEqual(await places({ text: '(?<word>epoch) (?:\\d+|x)', regex: true }), ['f:1', 'f:2']);
      assert.deepEqual(await places({ text: 'a\\/b', regex: true }), ['f:4']);
      assert.deepEqual((await search({ text: '(?<=foo)\\d+(?=bar)', regex: true })).found[0]?.ranges, [[3, 5]]);
      assert.deepEqual(await places({ text: 'epoch.*?\\d', regex: true }), ['f:1']);
      await assert.rejects(places({ text: '(', regex: true }), (error) => error instanceof SearchError && error.code === 'bad-pattern');
      await assert.rejects(places({ text: 'a\nb' }), SearchError);
    });

    it('reads letters of all languages, and files that are not UTF-8', async () => {
      await put({ f: 'größe ÄÖÜ 東京\n', latin: Buffer.from('gr\xf6\xdfe loss\n', 'latin1') });
      assert.deepEqual((await search({ text: 'größe' })).found, [{ path: 'f', line: 1, text: 'größe ÄÖÜ 東京', ranges: [[0, 5]] }]);
      assert.deepEqual(await places({ text: '東', regex: true }), ['f:1']);
      assert.deepEqual(await places({ text: 'loss' }), ['latin:1']);
      if (set !== 'busybox') assert.deepEqual(await places({ text: 'äöü' }), ['f:1']);
    });

    it('respects .gitignore files, nested and negated, and says so no more when told', async () => {
      await put({
        '.gitignore': '*.log\n/out/\ncache\n',
        'a.log': 'loss', 'out/x.txt': 'loss', 'cache/deep/x': 'loss', 'a.txt': 'loss',
        'src/.gitignore': '!keep.log\n/local\n', 'src/keep.log': 'loss', 'src/other.log': 'loss', 'src/local/x': 'loss', 'src/deep/local': 'loss', 'src/out/x': 'loss',
        'repo/.git/config': 'loss', 'repo/b.log': 'loss', 'repo/c.tmp': 'loss', 'repo/.gitignore': '*.tmp\n',
        '.git/HEAD': 'loss', '.hidden': 'loss', '.runpod-workspaces/x': 'loss',
      });
      const shown = ['.hidden:1', 'a.txt:1', 'repo/b.log:1', 'src/deep/local:1', 'src/keep.log:1', 'src/out/x:1'];
      assert.deepEqual(await places({ text: 'loss' }), shown);
      assert.deepEqual(await places({ text: 'loss', ignored: true }), [...shown, 'a.log:1', 'cache/deep/x:1', 'out/x.txt:1', 'repo/c.tmp:1', 'src/local/x:1', 'src/other.log:1'].sort());
    });

    it('respects the .gitignore of the repository that the folder lies in', async () => {
      await put({ '.git/HEAD': '', '.gitignore': '*.log\n/src/gen/\n', 'src/a.log': 'loss', 'src/gen/x': 'loss', 'src/a.py': 'loss' });
      const found: LineMatch[] = [];
      await searchFolder(pod.host, readWordsFrom(pod.files), pod.at('src'), { text: 'loss' }, { onMatches: (matches) => found.push(...matches) });
      assert.deepEqual(found.map((match) => match.path), ['a.py']);
    });

    it('includes and excludes as the editor does', async () => {
      await put({ 'a.py': 'x', 'a.txt': 'x', 'src/b.py': 'x', 'src/deep/c.py': 'x', 'src/deep/c.md': 'x', 'test/src/d.py': 'x', 'node_modules/m/e.py': 'x' });
      const exclude = ['**/node_modules'];
      assert.deepEqual(await places({ text: 'x', exclude, include: ['*.py'] }), ['a.py:1', 'src/b.py:1', 'src/deep/c.py:1', 'test/src/d.py:1']);
      assert.deepEqual(await places({ text: 'x', exclude, include: ['src'] }), ['src/b.py:1', 'src/deep/c.md:1', 'src/deep/c.py:1', 'test/src/d.py:1']);
      assert.deepEqual(await places({ text: 'x', exclude, include: ['./src'] }), ['src/b.py:1', 'src/deep/c.md:1', 'src/deep/c.py:1']);
      assert.deepEqual(await places({ text: 'x', exclude: [...exclude, '*.py', 'deep/**'] }), ['a.txt:1']);
      assert.deepEqual(await places({ text: 'x', include: ['{test,node_modules}/**/*.{py,md}'] }), ['node_modules/m/e.py:1', 'test/src/d.py:1']);
    });

    it('leaves out what is binary and what cannot be read, and follows no links', async () => {
      await put({ 'weights.bin': Buffer.concat([Buffer.from('loss'), Buffer.alloc(100)]), 'locked': 'loss', 'a.txt': 'loss' });
      await chmod(pod.at('locked'), 0);
      await symlink('..', pod.at('up'));
      await symlink('nowhere', pod.at('dangling'));
      const found = await places({ text: 'loss' });
      assert.deepEqual(found.filter((place) => place !== 'locked:1'), ['a.txt:1']);
    });

    it('lists names of every kind', async () => {
      await put({ "it's a 50% $HOME.txt": 'loss', '-rf': 'loss', 'größe': 'loss', ...(set === 'busybox' ? {} : { 'new\nline:3:x': 'loss' }) });
      assert.deepEqual(await places({ text: 'loss' }), ['-rf:1', "it's a 50% $HOME.txt:1", 'größe:1', ...(set === 'busybox' ? [] : ['new\nline:3:x:1'])].sort());
    });

    it('shortens lines of data sets, and does not lose them', async () => {
      await put({ 'train.jsonl': `${'x'.repeat(3_000_000)} needle\nneedle ${'y'.repeat(3_000_000)}\n` });
      const before = pod.link.counts.bytesDown;
      const { found, limited } = await search({ text: 'needle' });
      assert.deepEqual(found.map(({ line, ranges }) => [line, ranges]), [[1, []], [2, [[0, 6]]]]);
      assert.equal(limited, false);
      assert.ok(found.every(({ text }) => text.length <= 64 * 1024));
      if (set !== 'busybox') assert.ok(pod.link.counts.bytesDown - before < 50_000);
    });

    it('ends at so many lines, and says that there are more', async () => {
      await put({ 'big.log': 'loss\n'.repeat(5_000), 'other.log': 'loss\n'.repeat(5_000) });
      const { lines, limited } = await search({ text: 'loss' }, { maxLines: 300 });
      assert.deepEqual([lines, limited], [300, true]);
      const all = await search({ text: 'loss' });
      assert.deepEqual([all.lines, all.limited], [4_000, true]);
    });

    it('has its first results after few round trips', async () => {
      const tree: Record<string, string> = { '.gitignore': '*.log\n' };
      for (let i = 0; i < 60; i++) tree[`package${i}/deep/deeper/f.txt`] = 'loss\n';
      await put(tree);
      await search({ text: 'loss' });
      pod.link.shape({ rttMs: 80 });
      const tripsToFirst = async (): Promise<number | undefined> => {
        await sleep(200);
        const before = pod.link.counts.flightsUp;
        let trips: number | undefined;
        const { lines } = await searchFolder(pod.host, readWordsFrom(pod.files), pod.dir, { text: 'loss' }, { onMatches: () => (trips ??= pod.link.counts.flightsUp - before) });
        assert.equal(lines, 60);
        return trips;
      };
      // Two for the command; with grep one more for the ignore files of the folders that came up, and beside these three for the
      // top one's text, which count on their own when they do not fall into the same flights.
      const allowed = set === 'rg' ? 2 : 5;
      let first = await tripsToFirst();
      // A machine that is busy for longer than a round trip parts what is sent together. That passes; what is asked for too often is
      // so each time.
      for (let again = 0; (first ?? Infinity) > allowed && again < 3; again++) first = await tripsToFirst();
      pod.link.shape({});
      assert.ok(first !== undefined && first <= allowed, `${first} round trips`);
    });

    it('ends on the pod when it is cancelled, within a moment', async () => {
      await put({ f: 'loss\n' });
      const pid = pod.at('pid');
      const abort = new AbortController();
      // A search that never ends: its tool sleeps first.
      const slow = { exec: (command: string) => pod.host.exec(command.replace(/echo (rg|grep|busybox)\n/g, () => `echo $$ > ${pid}; sleep 600\n`)) };
      const running = searchFolder(slow, readWordsFrom(pod.files), pod.dir, { text: 'loss' }, { onMatches: () => undefined, signal: abort.signal });
      let process_ = 0;
      for (let i = 0; process_ === 0 && i < 500; i++) {
        await sleep(20);
        process_ = Number(await readFile(pid, 'utf8').catch(() => '0'));
      }
      assert.ok(process_ > 0);
      abort.abort();
      await assert.rejects(running, CancelledError);
      const isAlive = async (): Promise<boolean> => / [RSD] /.test((await pod.host.run(`cat /proc/${process_}/stat 2>/dev/null`, { deadlineMs: 5_000 })).stdout.toString());
      for (let i = 0; i < 200 && (await isAlive()); i++) await sleep(25);
      assert.equal(await isAlive(), false);
    });

    it('says that a folder is missing, and that the link went', async () => {
      await assert.rejects(searchFolder(pod.host, readWordsFrom(pod.files), pod.at('none'), { text: 'x' }, { onMatches: () => undefined }), (error) => error instanceof SearchError && error.code === 'not-found');
      await put({ f: 'x\n' });
      await search({ text: 'x' });
      const cut = { exec: (command: string) => pod.host.exec(command.replace(/echo (rg|grep|busybox)\n/g, 'sleep 600\n')) };
      const running = searchFolder(cut, readWordsFrom(pod.files), pod.dir, { text: 'x' }, { onMatches: () => undefined });
      setTimeout(() => pod.link.cut(), 300);
      await assert.rejects(running, (error) => isFileError(error, 'unavailable'));
    });
  });
