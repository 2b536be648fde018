// Bundles the extension and lists what its package holds: once for all windows of a run, for the list takes longer than the rest.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../setup/root.mjs';
import { packageList } from './parts.mjs';

const run = (...args) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 10_000_000, stdio: ['ignore', 'pipe', 'inherit'] });

run('esbuild.mjs');
mkdirSync(dirname(packageList), { recursive: true });
writeFileSync(packageList, run(join('node_modules', '@vscode', 'vsce', 'vsce'), 'ls', '--no-dependencies'));
