import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { type FileErrorCode, FileError } from '../../src/files/errors';
import { isWithin } from '../../src/files/names';
import { PodFiles } from '../../src/files/pod/podFiles';
import { PipeHost } from './pipeHost';

type Op =
  | { readonly op: 'write'; readonly path: string; readonly size: number; readonly create: boolean; readonly overwrite: boolean }
  | { readonly op: 'mkdir' | 'list' | 'read' | 'stat'; readonly path: string }
  | { readonly op: 'delete'; readonly path: string; readonly recursive: boolean }
  | { readonly op: 'rename' | 'copy'; readonly path: string; readonly to: string; readonly overwrite: boolean }
  | { readonly op: 'link'; readonly path: string; readonly target: string }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number };

const names = ['a', 'b', "it's\n", '-c'] as const;
const anyPath = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('write' as const), path: anyPath, size: fc.constantFrom(0, 1, 1000, 300_000), create: fc.boolean(), overwrite: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('mkdir' as const, 'list' as const, 'read' as const, 'stat' as const), path: anyPath }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), path: anyPath, recursive: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('rename' as const, 'copy' as const), path: anyPath, to: anyPath, overwrite: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('link' as const), path: anyPath, target: fc.constantFrom('a', 'b', '../a', 'nowhere', '-c') }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('chmod' as const), path: anyPath, mode: fc.constantFrom(0o600, 0o755, 0o644) }) },
);

const there = (file: string): boolean => fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
const refuse = (code: FileErrorCode): never => {
  throw new FileError(code, '');
};

/** The contract again, said with the file system of this machine. */
class Model {
  constructor(readonly root: string) {}

  async apply(op: Op): Promise<unknown> {
    const file = path.join(this.root, op.path);
    switch (op.op) {
      case 'stat': {
        const itself = fs.lstatSync(file);
        const target = itself.isSymbolicLink() ? (tryStat(file) ?? itself) : itself;
        return { kind: target.isDirectory() ? 'directory' : target.isFile() ? 'file' : 'link', link: itself.isSymbolicLink(), size: target.isDirectory() ? 0 : target.size };
      }
      case 'list':
        return fs.readdirSync(file).sort();
      case 'read':
        return fs.readFileSync(file).toString('latin1');
      case 'mkdir':
        return fs.mkdirSync(file);
      case 'write':
        if (!there(file)) {
          if (!op.create) refuse('not-found');
        } else if (fs.lstatSync(file).isDirectory()) refuse('is-a-directory');
        else if (op.create && !op.overwrite) refuse('exists');
        else if (tryStat(file)?.isDirectory() === true) refuse('is-a-directory');
        else if (tryStat(file) === undefined && !op.create) refuse('not-found');
        return fs.writeFileSync(file, contentOf(op.size));
      case 'delete':
        if (fs.lstatSync(file).isDirectory() && !op.recursive) return fs.rmdirSync(file);
        return fs.rmSync(file, { recursive: op.recursive });
      case 'rename':
      case 'copy': {
        const to = path.join(this.root, op.to);
        fs.lstatSync(file);
        if (file === to) return op.op === 'copy' ? refuse('exists') : undefined;
        if (isWithin(to, file)) refuse('unsupported');
        if (isWithin(file, to)) refuse(op.overwrite ? 'unsupported' : 'exists');
        if (!fs.statSync(path.dirname(to)).isDirectory()) refuse('not-a-directory');
        if (there(to) && !op.overwrite) refuse('exists');
        fs.rmSync(to, { recursive: true, force: true });
        return op.op === 'rename' ? fs.renameSync(file, to) : fs.cpSync(file, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      }
      case 'link':
        return fs.symlinkSync(op.target, file);
      case 'chmod':
        return fs.chmodSync(file, op.mode);
    }
  }

  /** Two ways to what is one place, or one inside the other: what ought to happen is nobody's contract. */
  tangled(op: Op): boolean {
    if (op.op !== 'rename' && op.op !== 'copy') return false;
    const real = (p: string): string => {
      const file = path.join(this.root, p);
      try {
        return path.join(fs.realpathSync(path.dirname(file)), path.basename(file));
      } catch {
        return file;
      }
    };
    const [a, b] = [real(op.path), real(op.to)];
    return (isWithin(a, b) || isWithin(b, a)) && !(a === path.join(this.root, op.path) && b === path.join(this.root, op.to));
  }
}

const tryStat = (file: string): fs.Stats | undefined => {
  try {
    return fs.statSync(file);
  } catch {
    return undefined;
  }
};
const contentOf = (size: number): Buffer => Buffer.alloc(size, `${size} bytes, `);

/** On the pod the same; links and modes are made beside, as by something that runs there. */
async function applyToPod(files: PodFiles, root: string, op: Op): Promise<unknown> {
  const file = `${root}/${op.path}`;
  switch (op.op) {
    case 'stat': {
      const { kind, link, size } = await files.stat(file);
      return { kind, link, size: kind === 'directory' ? 0 : size };
    }
    case 'list':
      return (await files.list(file)).map((e) => e.name).sort();
    case 'read':
      return Buffer.from(await files.readFile(file)).toString('latin1');
    case 'mkdir':
      return files.createDirectory(file);
    case 'write':
      await files.writeFile(file, contentOf(op.size), op);
      return undefined;
    case 'delete':
      return files.delete(file, op);
    case 'rename':
      return files.rename(file, `${root}/${op.to}`, op);
    case 'copy':
      return files.copy(file, `${root}/${op.to}`, op);
    case 'link':
    case 'chmod': {
      const done = await new Model(root).apply(op);
      files.changed();
      return done;
    }
  }
}

function snapshot(root: string, at = ''): string[] {
  return fs
    .readdirSync(path.join(root, at), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = path.join(at, entry.name);
      const file = path.join(root, name);
      const mode = (fs.lstatSync(file).mode & 0o7777).toString(8);
      if (entry.isSymbolicLink()) return [`${name} -> ${fs.readlinkSync(file)}`];
      return entry.isDirectory() ? [`${name}/ ${mode}`, ...snapshot(root, name)] : [`${name} ${mode} ${fs.readFileSync(file).toString('latin1').slice(0, 40)} ${fs.statSync(file).size}`];
    });
}

type Result = { readonly value: unknown } | { readonly refused: string };
async function result(work: () => Promise<unknown>): Promise<Result> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof FileError) return { refused: error.code };
    const codes: Record<string, string> = { ENOENT: 'not-found', EEXIST: 'exists', ENOTDIR: 'not-a-directory', EISDIR: 'is-a-directory', ENOTEMPTY: 'not-empty', ELOOP: 'failure', ERR_FS_EISDIR: 'not-empty' };
    return { refused: (error instanceof Error && 'code' in error && codes[String(error.code)]) || String(error) };
  }
}

/** SFTP says "no such file" of a missing folder, a file in a folder's place and a circle of links alike. */
const family = (r: Result): unknown => ('value' in r ? r : { refused: ['not-a-directory', 'failure'].includes(r.refused) ? 'not-found' : r.refused });

describe('the files of a pod beside a folder of this machine', function () {
  this.timeout(300_000);

  for (const shell of [true, false])
    it(`do the same in any order of operations, ${shell ? 'with' : 'without'} a shell`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyOp, { minLength: 5, maxLength: 30 }), async (ops) => {
          const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'runpod-model-')));
          const [model, pod] = [path.join(base, 'model'), path.join(base, 'pod')];
          const host = new PipeHost({ shell });
          const files = new PodFiles(host);
          try {
            for (const root of [model, pod]) fs.mkdirSync(root);
            const expected = new Model(model);
            for (const op of ops) {
              if (expected.tangled(op)) continue;
              const [wanted, got] = [await result(() => expected.apply(op)), await result(() => applyToPod(files, pod, op))];
              assert.deepEqual(family(got), family(wanted), JSON.stringify(op));
              assert.deepEqual(snapshot(pod), snapshot(model), JSON.stringify(op));
            }
          } finally {
            files.dispose();
            host.end();
            fs.rmSync(base, { recursive: true, force: true });
          }
        }),
        { numRuns: 120 },
      );
    });
});
