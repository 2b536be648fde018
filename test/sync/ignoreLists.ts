/** Ignore files as projects of these kinds have them, with every construct that theirs are written with. */
export const ignoreLists: Readonly<Record<string, string>> = {
  'a Python project': [
    '# compiled', '__pycache__/', '*.py[cod]', '*$py.class', '*.so', '', '# packaging', '.Python', 'build/', 'dist/', '.eggs/', 'lib/', 'lib64/', '*.egg-info/', '*.egg', 'MANIFEST', '*.manifest', '*.spec',
    'htmlcov/', '.tox/', '.coverage', '.coverage.*', '.cache', '*,cover', '.hypothesis/', '*.mo', '*.log', 'docs/_build/', 'target/', '.ipynb_checkpoints', '.env', '.venv', 'env/', 'ENV/', 'env.bak/', '/site', '.dmypy.json',
  ].join('\n'),
  'training code': [
    'build/', '*/**/__pycache__', 'core/version.py', 'core/lib/*.so*', 'core/lib/*.h', 'core/lib/include', 'core/csrc/generated/*', 'core/csrc/autograd', 'docs/src/**/*', 'test/data/tensors.pt', '*/*.pyc', '*/**/*.pyc', '*/**/**/*.pyc', '*/**/*.dylib*',
    '*~', '*.sw[nop]', 'runs', '/runs_old', '/wandb', '/examples/runs', '/examples/**/*.args', '/examples/rag/sweep', '/data', 'tests/fixtures/cached_*_text.txt', '!tests/fixtures/cached_small_text.txt', '*.*~', 'tags', '.pre-commit*', '*.lock', '!uv.lock', 'checkpoints/*', '!checkpoints/.gitkeep',
  ].join('\n'),
  'a Node project': [
    'logs', '*.log', 'npm-debug.log*', 'report.[0-9]*.[0-9]*.json', 'pids', '*.pid', 'lib-cov', 'coverage', 'bower_components', 'build/Release', 'node_modules/', 'web_modules/', '*.tsbuildinfo', '.npm', '.eslintcache', '.rpt2_cache/', '*.tgz', '.env.local', '.next', 'out', 'out-*/', 'dist',
    '.cache/', '.vuepress/dist', '.yarn/cache', '!.yarn/plugins', '.pnp.*', 'extensions/**/dist/', '/packages/*/lib', '!/packages/core/lib', '.vscode/*', '!.vscode/settings.json', '!.vscode/tasks.json',
  ].join('\r\n'),
  'a program for Windows': [
    '*.user', '[Dd]ebug/', '[Rr]eleases/', 'x64/', '[Ww][Ii][Nn]32/', '[Bb]in/', '[Oo]bj/', 'Generated\\ Files/', '[Tt]est[Rr]esult*/', '[Bb]uild[Ll]og.*', '*_i.c', '*.rsp', '!Directory.Build.rsp', '_Chutzpah*', '$tf/', '_Sharper*/', '*.[Rr]e[Ss]harper', '.axoCover/*', '!.axoCover/settings.json',
    '.*crunch*.local.xml', '*.mm.*', 'DocProject/Help/*.HxT', '*.[Pp]ublish.xml', '**/[Pp]ackages/*', '!**/[Pp]ackages/build/', '*.[Cc]ache', '!?*.[Cc]ache/', '~$*', '*- [Bb]ackup.rdl', '*- [Bb]ackup ([0-9]).rdl', '**/*.Client/Artifacts', '.paket/paket.exe', '\\#notes', '\\!really', 'Backup*/',
  ].join('\n'),
  'a game': ['/[Ll]ibrary/', '/[Tt]emp/', '/[Bb]uilds/', '!/[Aa]ssets/**/*.meta', '/[Aa]ssets/Plugins/Editor/Jet*', '*.pidb.meta', '/ServerData', '/[Aa]ssets/Streaming/aa*', '/[Aa]ssets/Addressables/*/*.bin*', '/[Aa]ssets/Generated/Core/Property Providers', '/[Aa]ssets/[Ii]nit[Tt]est*.unity*', 'Icon\r\r', '._*'].join('\n'),
  'nothing but what is named': ['/*', '!/.gitignore', '!/src', '/src/*', '!/src/app', '!*.md', 'src/app/**', '!src/app/**/', '!src/app/**/*.py'].join('\n'),
};

/**
 * Names that an ignore file speaks of, and others that it nearly does: each pattern's own, inside another folder, as a folder
 * with a file in it, with another ending, in another case.
 */
export function namesFor(list: string): string[] {
  const names = new Set<string>(['README.md', 'src/main.py', 'src/app/a.py', 'src/app/deep/b.py', 'src/app/deep/b.txt']);
  for (const line of list.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const bare = line.replace(/^!/, '').replace(/^\//, '');
    const isFolder = bare.endsWith('/');
    for (const [deep, letter] of [['p', 'first'], ['p/q', 'last']] as const) {
      const plain = bare
        .replace(/\/$/, '')
        .replace(/\[([^\]]+)\]/g, (_, set: string) => (letter === 'first' ? set.charAt(0) : set.charAt(set.length - 1)))
        .replace(/(^|\/)\*\*(?=\/|$)/g, `$1${deep}`)
        .replaceAll('*', 'x')
        .replaceAll('?', 'y')
        .replace(/\\(.)/g, '$1');
      if (plain === '' || plain.startsWith('.git/')) continue;
      for (const name of [plain, `sub/${plain}`, `${plain}z`, plain.charAt(0) === plain.charAt(0).toUpperCase() ? plain.toLowerCase() : plain.toUpperCase()]) {
        names.add(isFolder || letter === 'last' ? `${name}/inner.txt` : name);
        names.add(`${name}/deep/er.py`);
      }
    }
  }
  return [...names];
}
