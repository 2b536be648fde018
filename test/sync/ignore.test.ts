import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { repositories } from '../../src/sync/gitFacts';
import { DEFAULT_EXCLUSIONS, SECRET_NAMES, walk } from '../../src/sync/ignore';
import { diskTree } from './diskTree';
import { ignoreLists, namesFor } from './ignoreLists';

const execute = promisify(execFile);

const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', XDG_CONFIG_HOME: '/nonexistent', HOME: '/nonexistent' };
const git = async (folder: string, ...words: readonly string[]): Promise<string[]> =>
  (await execute('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@localhost', '-c', 'protocol.file.allow=always', ...words], { env, maxBuffer: 1 << 26 })).stdout.split('\0').filter((name) => name !== '');

/** What git has and would add, by the person's ignore files alone: no settings of this machine. Of a repository inside, what that one has. */
async function gitFiles(repository: string): Promise<string[]> {
  const names = await git(repository, 'ls-files', '-co', '--exclude-standard', '-z');
  const files: string[] = [];
  for (const name of new Set(names)) {
    const folder = path.join(repository, name);
    const stat = await lstat(folder).catch(() => undefined);
    if (stat?.isDirectory() === true) files.push(...(await gitFiles(folder)).map((inner) => `${name.replace(/\/$/, '')}/${inner}`));
    else if (stat !== undefined) files.push(name);
  }
  return files.sort();
}

/** Of these names, those that our own exclusions leave: by git, in a repository that ignores nothing else. */
async function notExcluded(names: readonly string[]): Promise<string[]> {
  const root = await makeRepository({ '.gitignore': `${[...DEFAULT_EXCLUSIONS, ...SECRET_NAMES].join('\n')}\n` });
  try {
    const asking = execFile('git', ['-C', root, '-c', 'core.ignoreCase=true', 'check-ignore', '--no-index', '-z', '--stdin'], { env, maxBuffer: 1 << 26 });
    asking.stdin?.end(names.map((name) => `${name}\0`).join(''));
    let said = '';
    asking.stdout?.on('data', (piece: string) => (said += piece));
    await once(asking, 'close');
    const out = new Set(said.split('\0'));
    return names.filter((name) => !out.has(name));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function makeRepository(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'sync-ignore-'));
  await execute('git', ['init', '-q', root], { env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' } });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return root;
}

const sent = async (root: string): Promise<string[]> => [...(await walk({ ...diskTree(root), repository: repositories(root) })).files].sort();

const samples: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'nested files that take back what an outer one ignores': {
    '.gitignore': '*.log\nbuild/\n/data/*\n!/data/keep\nfoo/\n',
    'a.log': '', 'src/b.log': '', 'src/.gitignore': '!important.log\n/local\n', 'src/important.log': '', 'src/local': '', 'src/deep/local': '', 'src/deep/important.log': '',
    'build/x': '', 'src/build/y': '', 'data/big.bin': '', 'data/keep/a': '', 'data/keep/b.log': '', 'foo/x': '', 'a/.gitignore': '!foo/\n', 'a/foo/x': '', 'a/foo/foo/x': '', 'a/foo/c.log': '',
  },
  'everything ignored but a few': { '.gitignore': '/*\n!/src\n/src/*\n!/src/*.py\n!.gitignore\n', 'README': '', 'src/a.py': '', 'src/b.txt': '', 'src/sub/c.py': '', 'other/x': '' },
  'wildcards': {
    '.gitignore': '**/logs\nlogs/**/debug\na/**/b\n*.[oa]\n!lib.a\nfile?.txt\n/docs/**\n!/docs/index.md\n',
    'logs/x': '', 'deep/logs/y': '', 'a/b': '', 'a/x/b': '', 'a/x/y/b/z': '', 'x.o': '', 'x.a': '', 'lib.a': '', 'file1.txt': '', 'file10.txt': '', 'docs/index.md': '', 'docs/a/b': '',
  },
  'comments, escapes and blanks': { '.gitignore': '# comment\n\\#hash\n\\!bang\ntrailing \nkept\\ \n\ufeffbom\n*.tmp\r\nwith space.txt\n', '#hash': '', '!bang': '', 'trailing': '', 'kept ': '', 'bom': '', 'a.tmp': '', 'with space.txt': '', 'comment': '' },
  'names of every kind': { '.gitignore': 'ünï*\n*\\*star*\n', 'ünïcode': '', 'a*star': '', "it's": '', 'new\nline': '', '-dash': '', '..dots': '', '東京/x': '' },
  'the repository’s own list': { '.git/info/exclude': 'private\n*.secret\n', '.gitignore': '!b.secret\n', 'private': '', 'a.secret': '', 'b.secret': '', 'x': '' },
};

describe('what is sent of a folder', () => {
  const roots: string[] = [];
  const make = async (files: Readonly<Record<string, string>>): Promise<string> => {
    const root = await makeRepository(files);
    roots.push(root);
    return root;
  };
  afterEach(async () => {
    for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
  });

  for (const [what, files] of Object.entries(samples))
    it(`is what git lists: ${what}`, async () => {
      const root = await make(files);
      assert.deepEqual(await sent(root), await gitFiles(root));
    });

  for (const [what, list] of Object.entries(ignoreLists))
    it(`is what git lists less our exclusions, with some ignored files tracked: ${what}`, async () => {
      const names = namesFor(list);
      const files: Record<string, string> = { '.gitignore': list };
      const taken = new Set<string>();
      for (const name of names.sort((a, b) => a.length - b.length)) {
        const above = name.split('/').map((_, n, parts) => parts.slice(0, n).join('/')).slice(1);
        if (files[name] !== undefined || taken.has(name) || above.some((folder) => files[folder] !== undefined) || /\.git(\/|$)/.test(name)) continue;
        files[name] = '';
        for (const folder of above) taken.add(folder);
      }
      const root = await make(files);
      await git(root, 'add', '-f', '--', ...Object.keys(files).filter((_, i) => i % 3 === 0).map((name) => `:(literal)${name}`));
      const wanted = await notExcluded(await gitFiles(root));
      assert.ok(wanted.length > 5 && wanted.length < Object.keys(files).length);
      assert.deepEqual(await sent(root), wanted);
    });

  it('is what git lists of repositories inside: submodules, others, and a .git that is none', async () => {
    const module = await make({ '.gitignore': '*.out\n!kept.log\n', 'm.py': '', 'm.out': '', 'kept.log': '', 'forced.out': '' });
    await git(module, 'add', '-f', '.gitignore', 'm.py', 'kept.log', 'forced.out');
    await git(module, 'commit', '-qm', 'x');
    const root = await make({ '.gitignore': '*.log\nlibs/\nvendor/\n', 'a.py': '', 'a.log': '', 'inner/.gitignore': '*.tmp\n', 'inner/b.py': '', 'inner/b.log': '', 'inner/b.tmp': '', 'vendor/v.py': '', 'fake/.git/x': '', 'fake/f.py': '', 'fake/f.log': '' });
    await execute('git', ['init', '-q', path.join(root, 'inner')], { env });
    await execute('git', ['init', '-q', path.join(root, 'vendor')], { env });
    await writeFile(path.join(root, 'inner/.git/info/exclude'), 'private\n');
    await writeFile(path.join(root, 'inner/private'), '');
    await git(root, 'submodule', 'add', '-q', '-f', module, 'libs/module');
    await writeFile(path.join(root, 'libs/module/new.log'), '');
    await writeFile(path.join(root, 'libs/module/new.out'), '');
    assert.deepEqual(await sent(root), (await gitFiles(root)).filter((name) => !name.startsWith('fake/.git/')));
    assert.deepEqual((await sent(root)).filter((name) => name.startsWith('libs/')), ['libs/module/.gitignore', 'libs/module/forced.out', 'libs/module/kept.log', 'libs/module/m.py', 'libs/module/new.log']);
  });

  it('is what git lists, in any repository', async () => {
    const segment = fc.constantFrom('a', 'b', 'foo', 'bar', 'x.log', 'y.py', 'build', 'A');
    const file = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const glob = fc.constantFrom('a', 'b', 'foo', 'bar', '*', '*.log', '*.py', '**', 'b*', '?', 'build', '[ab]', 'fo*o');
    const pattern = fc
      .tuple(fc.boolean(), fc.boolean(), fc.array(glob, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([negated, anchored, parts, folderOnly]) => `${negated ? '!' : ''}${anchored ? '/' : ''}${parts.join('/')}${folderOnly ? '/' : ''}`);
    const ignoreFile = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((lines) => `${lines.join('\n')}\n`);
    const folder = fc.array(fc.constantFrom('a', 'b', 'foo', 'build'), { maxLength: 2 }).map((parts) => parts.join('/'));
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 3, maxLength: 14 }), fc.array(fc.tuple(folder, ignoreFile), { minLength: 1, maxLength: 3 }), async (names, ignores) => {
        const files: Record<string, string> = {};
        const taken = (name: string): boolean => Object.keys(files).some((other) => other === name || other.startsWith(`${name}/`) || name.startsWith(`${other}/`));
        for (const name of names) if (!taken(name)) files[name] = '';
        for (const [where, text] of ignores) {
          const name = where === '' ? '.gitignore' : `${where}/.gitignore`;
          if (!taken(name)) files[name] = text;
        }
        const root = await makeRepository(files);
        try {
          await git(root, 'add', '-f', '--', ...Object.keys(files).filter((_, i) => i % 4 === 0));
          assert.deepEqual(await sent(root), await gitFiles(root));
        } finally {
          await rm(root, { recursive: true, force: true });
        }
      }),
      { numRuns: 60, seed: 20261120 },
    );
  });

  it('leaves out what tools make again and what fits this machine only', async () => {
    const root = await make({ 'node_modules/a/x': '', '.venv/bin/python': '', 'src/venv/x': '', 'src/__pycache__/a.pyc': '', 'a.pyc': '', '.mypy_cache/x': '', 'nb/.ipynb_checkpoints/x': '', '.DS_Store': '', 'train.py': '' });
    assert.deepEqual(await sent(root), ['train.py']);
    assert.equal((await sent(root)).some((name) => name.startsWith('.git/')), false);
  });

  it('takes it back where .runpodignore says so, and leaves out more', async () => {
    const root = await make({ '.runpodignore': '!venv/\n!data/\n*.bin\n', '.gitignore': 'data/\n', 'venv/x': '', 'data/y': '', 'weights.bin': '', 'src/.runpodignore': '!weights.bin\n', 'src/weights.bin': '', 'train.py': '' });
    assert.deepEqual(await sent(root), ['.gitignore', '.runpodignore', 'data/y', 'src/.runpodignore', 'src/weights.bin', 'train.py', 'venv/x']);
  });

  it('holds back what looks like a secret, names it, and sends it once it is allowed by name', async () => {
    const root = await make({ '.env': '', '.env.local': '', '.env.example': '', 'keys/server.pem': '', 'id_ed25519': '', 'id_ed25519.pub': '', '.ssh/config': '', 'Credentials.json': '', 'ignored/.env': '', '.gitignore': 'ignored/\n', 'train.py': '' });
    const found = await walk(diskTree(root));
    assert.deepEqual([...found.files].sort(), ['.env.example', '.gitignore', 'id_ed25519.pub', 'train.py']);
    assert.deepEqual([...found.secrets].sort(), ['.env', '.env.local', '.ssh/', 'Credentials.json', 'id_ed25519', 'keys/server.pem']);
    await writeFile(path.join(root, '.runpodignore'), '!.env\n');
    assert.equal((await sent(root)).includes('.env'), true);
  });

  it('keeps links that stay inside, and names those that do not', async () => {
    const root = await make({ 'data/x': '', 'src/a': '' });
    await symlink('../data/x', path.join(root, 'src', 'x'));
    await symlink('data', path.join(root, 'd'));
    await symlink('/etc/passwd', path.join(root, 'out'));
    await symlink('../../elsewhere', path.join(root, 'src', 'up'));
    const found = await walk(diskTree(root));
    assert.deepEqual([...found.files].sort(), ['data/x', 'src/a']);
    assert.deepEqual(found.links, [{ path: 'd', target: 'data' }, { path: 'src/x', target: '../data/x' }]);
    assert.deepEqual([...found.odd].sort(), ['out', 'src/up']);
  });

  it('heeds the ignore files above a folder inside a repository, unless they ignore that very folder', async () => {
    const root = await make({ 'pkg/a.log': '', 'pkg/b.py': '', 'pkg/out/c': '' });
    const tree = diskTree(path.join(root, 'pkg'));
    const above = (text: string) => walk({ ...tree, repository: async () => ({ above: [{ below: 'pkg', text }], tracked: async () => new Set() }) });
    assert.deepEqual((await above('*.log\n/pkg/out\n')).files, ['b.py']);
    assert.deepEqual((await above('pkg/\n')).files, ['a.log', 'b.py', 'out/c']);
  });

  it('heeds the person’s own list and that of the repository, in its top, in a folder of it and in another work tree', async () => {
    const root = await make({ '.gitignore': '!kept.tmp\n', 'a.tmp': '', 'kept.tmp': '', 'a.py': '', 'pkg/b.tmp': '', 'pkg/b.py': '', 'pkg/secret.txt': '', 'secret.txt': '' });
    const own = path.join(root, '.git', 'own');
    await writeFile(own, '*.tmp\n/pkg/secret.txt\n');
    await execute('git', ['-C', root, 'config', 'core.excludesFile', own]);
    const from = async (folder: string): Promise<string[]> => [...(await walk({ ...diskTree(folder), repository: repositories(folder) })).files].sort();
    assert.deepEqual(await from(root), await gitFiles(root));
    assert.deepEqual(await from(path.join(root, 'pkg')), ['b.py']);
    await execute('git', ['-C', root, '-c', 'user.name=x', '-c', 'user.email=x@localhost', 'commit', '-q', '--allow-empty', '-m', 'x']);
    const other = path.join(root, 'pkg', 'tree');
    await execute('git', ['-C', root, 'worktree', 'add', '-q', other]);
    await writeFile(path.join(root, '.git', 'info', 'exclude'), '*.out\n');
    for (const name of ['x.out', 'x.tmp', 'x.py']) await writeFile(path.join(other, name), '');
    assert.deepEqual(await from(other), await gitFiles(other));
    assert.deepEqual(await from(other), ['x.py']);
  });

  it('ends when nobody wants the answer any more', async () => {
    const root = await make({ a: '' });
    await assert.rejects(walk(diskTree(root), { signal: AbortSignal.abort() }), { name: 'AbortError' });
  });
});
