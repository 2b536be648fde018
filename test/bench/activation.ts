import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Metafile } from 'esbuild';
import { CheckoutCopy } from '../setup/checkoutCopy';
import { root } from '../setup/root.mjs';
import { median } from './stopwatch';

const run = promisify(execFile);

export interface ActivationFigures {
  /** The extension's own, the editor's modules and Node's being there: reading, evaluating and `activate()`. */
  readonly wallMs: readonly number[];
  /** Processor time of the same; what else the machine does hardly shows in it. */
  readonly cpuMs: number;
  /** Source files that are evaluated at activation, of so many in the bundle. */
  readonly modules: number;
  readonly modulesInBundle: number;
  readonly bundleBytes: number;
}

/** Loads and activates the production bundle in processes of its own. */
export async function measureActivation(rounds: number): Promise<ActivationFigures> {
  const copy = new CheckoutCopy();
  try {
    await run(process.execPath, ['esbuild.mjs', '--production'], { cwd: copy.path });
    const bundle = join(copy.path, 'dist', 'extension.js');
    // Node's modules are there in the editor already.
    const preloaded = builtinModules.filter((name) => /^(crypto|fs|fs\/promises|net|tls|http|https|os|path|util|stream|events|url|zlib|child_process)$/.test(name));
    const times: { loadMs: number; activateMs: number; cpuMs: number }[] = [];
    for (let i = 0; i < rounds; i++) {
      const { stdout } = await run(process.execPath, [...preloaded.flatMap((name) => ['-r', name]), join(root, 'test', 'setup', 'activationProbe.cjs'), bundle]);
      times.push(JSON.parse(stdout) as (typeof times)[number]);
    }
    return {
      wallMs: times.map(({ loadMs, activateMs }) => loadMs + activateMs),
      cpuMs: median(times.map(({ cpuMs }) => cpuMs)),
      bundleBytes: statSync(bundle).size,
      ...(await counts()),
    };
  } finally {
    copy.remove();
  }
}

async function counts(): Promise<{ modules: number; modulesInBundle: number }> {
  const { atOnce, bundled } = await modules();
  return { modules: atOnce.length, modulesInBundle: bundled };
}

/** The source files that activation evaluates, and how many there are in the bundle. */
export async function modules(): Promise<{ readonly atOnce: readonly string[]; readonly bundled: number }> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/extension.ts'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    outdir: 'out',
    write: false,
    metafile: true,
    external: ['vscode', 'ssh2', 'undici'],
  });
  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === 'src/extension.ts');
  const inBundle = new Set(Object.keys(output?.inputs ?? {}));
  return { atOnce: reachedAtOnce(metafile).filter((file) => inBundle.has(file)), bundled: inBundle.size };
}

/** What the entry imports, and what that imports, without what is imported later. */
function reachedAtOnce({ inputs }: Metafile): string[] {
  const reached = new Set(['src/extension.ts']);
  for (const file of reached) for (const { path, kind, external } of inputs[file]?.imports ?? []) if (kind !== 'dynamic-import' && external !== true) reached.add(path);
  return [...reached];
}
