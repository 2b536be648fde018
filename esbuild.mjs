// Bundles the extension. ssh2 and undici become bundles of their own, so that activation loads neither:
// `await import('ssh2')` in the source is a `require('./ssh2.js')` at run time, at first need.
import { build, context } from 'esbuild';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');
const vendors = ['ssh2', 'undici'];

const vendorBundles = {
  name: 'vendor-bundles',
  setup(b) {
    b.onResolve({ filter: /^(ssh2|undici)$/ }, (args) =>
      args.kind === 'entry-point' ? undefined : { path: `./${args.path}.js`, external: true });
  },
};

// The native parts of ssh2 are optional; without them Node's own ciphers are used (no slower) and one VSIX fits all.
const nativeParts = { name: 'native-parts', setup(b) { b.onResolve({ filter: /\.node$|^cpu-features$/ }, (a) => ({ path: a.path, external: true })); } };

// ssh2 ends the connection at packets over 35,000 bytes, the least that RFC 4253 asks for; OpenSSH sends up to 256 KiB, for
// example when a program that reads without echo is given much input. OpenSSH's own limit is used instead.
const packetLimit = {
  name: 'packet-limit',
  setup(b) {
    b.onLoad({ filter: /ssh2[\\/]lib[\\/]protocol[\\/]crypto\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('const MAX_PACKET_SIZE = 35000;')) throw new Error('ssh2 has another packet limit than it had; look at packetLimit');
      return { contents: text.replace('const MAX_PACKET_SIZE = 35000;', 'const MAX_PACKET_SIZE = 256 * 1024;'), loader: 'js' };
    });
  },
};

const shared = {
  bundle: true, platform: 'node', format: 'cjs', target: 'node20', minify: production,
  sourcemap: production ? false : 'linked', logLevel: 'warning', legalComments: 'none',
  // Its other form finds its parts at run time, where no bundler sees them.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
};

// What the editor completes and checks `runpod.json` by comes from the schema that reads it.
async function writeProfileSchema() {
  const { outputFiles } = await build({ entryPoints: ['src/pods/profile/schema.ts'], bundle: true, platform: 'node', format: 'esm', write: false, logLevel: 'warning' });
  const { profileJsonSchema } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
  const file = 'media/runpod.schema.json';
  const text = `${JSON.stringify(profileJsonSchema(), undefined, 1)}\n`;
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

// Of undici only what `src/runpod/dispatchers.ts` uses: its index brings fetch, mocks, caches and web sockets, half of it all.
const undiciParts = `
  Object.assign(require('undici/lib/dispatcher/dispatcher').prototype, require('undici/lib/api'));
  module.exports = {
    Agent: require('undici/lib/dispatcher/agent'),
    Pool: require('undici/lib/dispatcher/pool'),
    ProxyAgent: require('undici/lib/dispatcher/proxy-agent'),
  };`;
const vendorEntry = (name) =>
  name === 'undici'
    ? { stdin: { contents: undiciParts, resolveDir: import.meta.dirname, sourcefile: 'undici-parts.js' }, outfile: 'dist/undici.js' }
    : { entryPoints: { [name]: name }, outdir: 'dist' };

if (!watch) rmSync('dist', { recursive: true, force: true });
await writeProfileSchema();
const options = [
  { ...shared, entryPoints: { extension: 'src/extension.ts' }, outdir: 'dist', external: ['vscode'], plugins: [vendorBundles] },
  ...vendors.map((v) => ({ ...shared, ...vendorEntry(v), sourcemap: false, minify: true, plugins: [nativeParts, packetLimit] })),
  // The Cost panel's page runs in a browser and brings its style sheets itself.
  { ...shared, platform: 'browser', format: 'iife', target: 'es2022', entryPoints: { costPanel: 'webview/costPanel/main.ts' }, outdir: 'dist', loader: { '.css': 'text' }, plugins: [] },
];
if (watch) for (const o of options) await (await context(o)).watch();
else await Promise.all(options.map((o) => build(o)));
