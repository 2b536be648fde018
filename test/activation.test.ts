import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CheckoutCopy } from './setup/checkoutCopy';
import { root } from './setup/root.mjs';

const execute = promisify(execFile);

interface Activation {
  readonly loaded: readonly string[];
  readonly touched: readonly string[];
}

describe('activation', () => {
  let copy: CheckoutCopy;
  let activation: Activation;

  before(async () => {
    copy = new CheckoutCopy();
    await execute(process.execPath, ['esbuild.mjs'], { cwd: copy.path });
    const probe = join(root, 'test', 'setup', 'activationProbe.cjs');
    const { stdout } = await execute(process.execPath, [probe, join(copy.path, 'dist', 'extension.js')]);
    activation = JSON.parse(stdout) as Activation;
  });
  after(() => copy.remove());

  it('loads neither ssh2 nor undici, which are bundles of their own', () => {
    for (const name of ['ssh2.js', 'undici.js']) assert.ok(existsSync(join(copy.path, 'dist', name)), name);
    assert.deepEqual(activation.loaded.filter((request) => /ssh2|undici/.test(request)), []);
  });

  it('reads and writes no file, starts no program and opens no connection', () => {
    assert.deepEqual(activation.touched, []);
  });
});
