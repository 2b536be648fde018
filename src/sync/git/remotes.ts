import { hostKeyAlias } from '../../ssh/configText';
import { GitError } from './errors';
import type { Git } from './program';

export interface GitRemote {
  readonly name: string;
  readonly url: string;
}

/**
 * Where git finds a folder of a pod. By the alias of the pod's id: that of its name changes when the pod is renamed, and may
 * be another pod's then.
 */
export const remoteUrl = (podId: string, path: string): string => `${hostKeyAlias(podId)}:${path}`;

/** The pod that an address of ours leads to. */
export const podOfUrl = (url: string): string | undefined => /^runpod-([^:/@]+):\//.exec(url)?.[1];

/** A remote's name from a pod's alias. git takes no dots in a row, none at the end, and no `.lock`. */
export const remoteName = (alias: string): string => alias.replace(/\.+/g, '-').replace(/-+$/, '');

export async function remotesOf(git: Git): Promise<GitRemote[]> {
  const said = (await git.tell('config', '--null', '--get-regexp', '^remote\\..*\\.url$')) ?? '';
  return said.split('\0').flatMap((entry) => {
    const [, name, url] = /^remote\.(.*)\.url\n([^]*)$/.exec(entry) ?? [];
    return name === undefined || url === undefined ? [] : [{ name, url }];
  });
}

/** @throws GitError bad-name */
export async function requireRemoteName(git: Git, name: string): Promise<void> {
  if (name.startsWith('-') || (await git.ask(['check-ref-format', `refs/remotes/${name}/x`])).code !== 0) throw new GitError('bad-name', { name });
}

/** The first of `name`, `name-2`, `name-3` … that no remote has. */
export function freeName(name: string, remotes: readonly GitRemote[]): string {
  const taken = new Set(remotes.map((remote) => remote.name));
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/**
 * Asks for the remote's references the way every push and pull will go: with the person's own `core.sshCommand` and all.
 * @throws GitError not-reached, with what ssh or git said
 */
export async function reachRemote(git: Git, url: string, signal?: AbortSignal): Promise<{ readonly empty: boolean }> {
  const { code, stdout, stderr } = await git.ask(['ls-remote', '--', url], { deadlineMs: 60_000, signal });
  if (code === 0) return { empty: stdout.trim() === '' };
  throw new GitError('not-reached', { detail: stderr.trim(), sshCommand: process.env['GIT_SSH_COMMAND'] ?? process.env['GIT_SSH'] ?? (await git.tell('config', 'core.sshCommand')) });
}
