import * as z from 'zod';
import type { Pod } from '../../runpod/types';

/** A machine by hand, as a folder names it in `.runpod_config.json`. */
export const CONNECTION_FILE = '.runpod_config.json';

const schema = z.object({
  user: z.string().regex(/^[A-Za-z_][\w.@-]*$/).default('root'),
  host: z.string().regex(/^(?!-)[A-Za-z0-9[\]:._-]+$/),
  port: z.union([z.int().min(1).max(65535), z.string().regex(/^\d{1,5}$/).transform(Number).pipe(z.int().min(1).max(65535))]).default(22),
  // On Windows a path that begins with two slashes is another computer's, which would be asked with the person's own login.
  ssh_key: z.string().regex(/^(?![/\\]{2})[^\0-\x1f\x7f]*$/).optional(),
  remote_dir: z.string().regex(/^\/[^\0-\x1f\x7f]*$/).default('/workspace'),
});

export interface HandConnection {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Path of a private key on this machine; `~` stands for the home folder. */
  readonly sshKey?: string;
  readonly remoteDir: string;
}

/** @throws Error naming the fields that are wrong */
export function readConnectionFile(text: string): HandConnection {
  const result = schema.safeParse(JSON.parse(text) as unknown);
  if (!result.success) throw new Error(result.error.issues.map((i) => `${i.path.join('.') || CONNECTION_FILE}: ${i.message}`).join('; '));
  const { user, host, port, ssh_key, remote_dir } = result.data;
  return { user, host, port, remoteDir: remote_dir, ...(ssh_key ? { sshKey: ssh_key } : {}) };
}

/** The address of a running pod as such a file; undefined for a pod without direct SSH. */
export function connectionFileOf(pod: Pod, sshKey?: string): string | undefined {
  const { direct } = pod.ssh;
  if (!direct) return undefined;
  return `${JSON.stringify({ user: direct.username, host: direct.host, port: direct.port, ...(sshKey ? { ssh_key: sshKey } : {}), remote_dir: pod.mount?.path ?? '/workspace' }, undefined, 2)}\n`;
}
