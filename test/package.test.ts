import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CheckoutCopy } from './setup/checkoutCopy';
import { zipEntries, type ZipEntry } from './setup/zip';

const execute = promisify(execFile);

describe('the package', function () {
  this.timeout(120_000);
  let copy: CheckoutCopy;
  let output = '';
  let archive: Buffer;
  let entries: ZipEntry[] = [];
  /** The files of the extension itself, without the two that the format asks for. */
  const files = (): string[] => entries.map(({ name }) => name).filter((name) => name.startsWith('extension/')).map((name) => name.slice('extension/'.length));

  before(async () => {
    copy = new CheckoutCopy();
    // npm's own words (about its settings, its updates) are not the package's.
    const { stdout, stderr } = await execute('npm', ['run', '--silent', 'package'], { cwd: copy.path, shell: process.platform === 'win32' });
    output = stdout + stderr;
    archive = readFileSync(join(copy.path, 'runpod-workspaces.vsix'));
    entries = zipEntries(archive);
  });
  after(() => copy.remove());

  it('is one VSIX', () => {
    assert.deepEqual(readdirSync(copy.path).filter((name) => name.endsWith('.vsix')), ['runpod-workspaces.vsix']);
  });

  it('is made without a warning', () => {
    assert.doesNotMatch(output, /warn|deprecat|error/i, output);
  });

  it('is smaller than 600 KB', () => {
    assert.ok(archive.length < 600 * 1024, `${archive.length} bytes: ${entries.map(({ name, packed }) => `${name} ${packed}`).join(', ')}`);
  });

  it('holds the manifest, the bundles and the words, and nothing else', () => {
    const expected = [
      /^package\.json$/, /^package\.nls(\.[\w-]+)?\.json$/, /^l10n\/[\w.-]+\.json$/,
      /^(readme|changelog)\.md$/i, /^license(\.txt)?$/i,
      /^dist\/[\w-]+\.js$/,
      /^media\/[\w-]+\.(png|svg)$/, /^media\/runpod\.schema\.json$/, /^media\/walkthrough\/[\w-]+\.(png|svg|md)$/,
    ];
    assert.deepEqual(files().filter((name) => !expected.some((pattern) => pattern.test(name))), []);
    for (const name of ['dist/ssh2.js', 'dist/undici.js']) assert.ok(files().includes(name), `${name} is missing`);
  });

  it('has no native module, no test and no source map', () => {
    assert.deepEqual(files().filter((name) => /\.node$|\.map$|\.ts$|(^|\/)(test|src|node_modules|out)\//.test(name)), []);
  });

  it('has every file that the manifest names', () => {
    const manifest = JSON.parse(readFileSync(join(copy.path, 'package.json'), 'utf8')) as Record<string, unknown>;
    const named = [manifest['main'], manifest['icon'], ...pathsIn(manifest['contributes'])].filter((value) => typeof value === 'string');
    assert.ok(named.includes('./dist/extension.js'));
    assert.deepEqual(named.map((name) => name.replace(/^\.\//, '')).filter((name) => !files().includes(name)), []);
  });
});

/** Every string in contributions that is a path of a file of ours. */
function pathsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^(\.\/)?(media|dist|l10n)\//.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}
