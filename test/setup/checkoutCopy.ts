import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { root } from './root.mjs';

const made = new Set(['node_modules', '.git', 'dist', 'out', '.vscode-test']);

/** A copy of the checkout to build in, so that the `dist/` and the package that others use stay as they are. */
export class CheckoutCopy {
  readonly path = mkdtempSync(join(tmpdir(), 'runpod-checkout-'));

  constructor() {
    const isWanted = (source: string): boolean => dirname(source) !== root || !(made.has(basename(source)) || source.endsWith('.vsix'));
    cpSync(root, this.path, { recursive: true, filter: isWanted });
    symlinkSync(join(root, 'node_modules'), join(this.path, 'node_modules'), 'junction');
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
