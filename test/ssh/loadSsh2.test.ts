import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { Scratch } from './support';

const repository = path.join(import.meta.dirname, '..', '..');

describe('loading ssh2', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it('works from bundles of CommonJS, and only at first need', async () => {
    const dir = await scratch.dir();
    const vendor: Plugin = {
      name: 'vendor',
      setup: (bundle) => {
        bundle.onResolve({ filter: /^ssh2$/ }, ({ kind }) => (kind === 'entry-point' ? undefined : { path: './ssh2.js', external: true }));
        bundle.onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path: native }) => ({ path: native, external: true }));
      },
    };
    const shared: BuildOptions = { bundle: true, platform: 'node', format: 'cjs', target: 'node20', outdir: dir, logLevel: 'error', absWorkingDir: repository, plugins: [vendor] };
    await build({
      ...shared,
      stdin: {
        contents: `
          import { SshConnection } from './src/ssh/connection';
          import { SshLink } from './src/ssh/pool';
          import { findIdentities } from './src/ssh/keys';
          import { loadSsh2 } from './src/ssh/loadSsh2';
          const loaded = () => Object.keys(require.cache).some((file) => file.endsWith('ssh2.js'));
          const before = loaded();
          loadSsh2().then((ssh2) => console.log(JSON.stringify([typeof SshConnection, typeof SshLink, typeof findIdentities, before, loaded(), typeof ssh2.Client, typeof ssh2.utils.parseKey])));
        `,
        resolveDir: repository,
        loader: 'ts',
        sourcefile: 'main.ts',
      },
      entryNames: 'main',
    });
    await build({ ...shared, entryPoints: { ssh2: 'ssh2' } });
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(dir, 'main.js')]);
    assert.deepEqual(JSON.parse(stdout), ['function', 'function', 'function', false, true, 'function', 'function']);
    assert.doesNotMatch(await readFile(path.join(dir, 'main.js'), 'utf8'), /node_modules\/ssh2\/lib/);
  });
});
