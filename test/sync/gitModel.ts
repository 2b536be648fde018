import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { pushToCheckout } from '../../src/sync/git/hook';
import { Git } from '../../src/sync/git/program';

/** A new repository for someone to commit to. */
export async function repository(dir: string, branch = 'main'): Promise<Git> {
  await mkdir(dir, { recursive: true });
  const git = new Git(dir);
  await git.do(['init', '-q', '.']);
  await git.do(['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
  await git.do(['config', 'user.name', 'someone']);
  await git.do(['config', 'user.email', 'someone@example.invalid']);
  return git;
}

/** Writes a file, with the folders it needs. */
export const put = async (dir: string, name: string, text: string): Promise<void> => {
  await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
  await writeFile(path.join(dir, name), text);
};

/** Every file but git's own, by name. */
async function snapshot(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, full);
    if (entry.isFile() && !name.startsWith('.git/')) found.set(name, await readFile(full, 'utf8'));
  }
  return found;
}

const busybox = '/usr/bin/busybox';

/** The hook as a pod of Alpine runs it: BusyBox and git, and nothing else. */
async function underBusybox(dir: string): Promise<string> {
  const bin = path.join(dir, 'bin');
  await mkdir(bin, { recursive: true });
  for (const tool of ['sh', 'awk', 'cat', 'cp', 'echo', 'head', 'mkdir', 'rm', 'sed', 'sort', 'uniq', 'wc']) await symlink(busybox, path.join(bin, tool)).catch(() => undefined);
  await symlink(execFileSync('which', ['git'], { encoding: 'utf8' }).trim(), path.join(bin, 'git')).catch(() => undefined);
  return pushToCheckout.replace('#!/bin/sh\n', `#!${busybox} sh\nPATH='${bin}'; export PATH\n`);
}

export interface PushesBesideWork {
  readonly rounds: number;
  /** The same edits for the same number. */
  readonly seed: number;
}

/**
 * Random edits and commits here, random work there, and a push, again and again: a push that goes through has lost no content
 * that was in no commit, one that is refused has changed nothing. Every other round has the tools of BusyBox only.
 */
export async function pushBesideWork({ rounds, seed: first }: PushesBesideWork): Promise<{ accepted: number; refused: number }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'git-model-'));
  let seed = first;
  try {
    const random = (below: number): number => {
      seed = (seed + 0x6d2b79f5) | 0;
      let x = Math.imul(seed ^ (seed >>> 15), seed | 1);
      x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
      return ((x ^ (x >>> 14)) >>> 0) % below;
    };
    const names = ['a', 'b', 'dir/c', 'dir/d e', 'i.ign', 'dir'];
    const edit = async (root: string): Promise<void> => {
      const name = names[random(names.length)] ?? 'a';
      // A file where a folder was, and the other way round.
      if (random(4) === 0) await rm(path.join(root, name), { recursive: true, force: true }).catch(() => undefined);
      else await put(root, name, `content ${random(3)}\n`).catch(() => undefined);
    };
    let accepted = 0;
    let refused = 0;
    for (let round = 0; round < rounds; round++) {
      const here = await repository(path.join(dir, `here${round}`));
      const there = await repository(path.join(dir, `there${round}`));
      await there.do(['config', 'receive.denyCurrentBranch', 'updateInstead']);
      await put(there.folder, '.git/hooks/push-to-checkout', round % 2 === 0 ? pushToCheckout : await underBusybox(dir));
      await chmod(path.join(there.folder, '.git/hooks/push-to-checkout'), 0o755);
      await put(here.folder, '.gitignore', '*.ign\n');
      const begin = async (): Promise<string> => {
        for (let n = 0; n < 3; n++) await edit(here.folder);
        await here.do(['add', '-A', '-f']);
        await here.do(['commit', '-q', '--allow-empty', '-m', 'x']);
        return (await here.do(['rev-parse', 'HEAD'])).trim();
      };
      await begin();
      if (random(4) > 0) await here.do(['push', '-q', there.folder, 'main']);
      for (let n = random(3); n > 0; n--) await edit(there.folder);
      if (random(3) === 0) await there.do(['add', '-A']);
      const pushed = await begin();
      const before = await snapshot(there.folder);
      const status = await there.do(['status', '--porcelain', '--ignored']);
      const committed = new Set((await there.tell('ls-tree', '-r', '--name-only', '-z', 'HEAD'))?.split('\0') ?? []);
      const old = new Map<string, string>();
      for (const name of committed) if (name !== '') old.set(name, (await there.ask(['show', `HEAD:${name}`])).stdout);
      const { code, stderr } = await here.ask(['push', there.folder, 'main']);
      const after = await snapshot(there.folder);
      if (code === 0) {
        accepted++;
        assert.equal(await there.tell('rev-parse', 'HEAD'), pushed);
        assert.equal(await there.do(['status', '--porcelain', '--untracked-files=no']), '', `round ${round}`);
        for (const [name, text] of before) if (after.get(name) !== text) assert.equal(text, old.get(name), `round ${round}: ${name} was in no commit`);
      } else {
        refused++;
        assert.match(stderr, /Refused|would be overwritten|would lose/, `round ${round}: ${stderr}`);
        assert.deepEqual(after, before, `round ${round}`);
        assert.equal(await there.do(['status', '--porcelain', '--ignored']), status, `round ${round}`);
      }
    }
    return { accepted, refused };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
