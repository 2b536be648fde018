import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { messageOf } from '../base/errors';
import { sleep } from '../base/time';
import { SshError } from './errors';
import { keyTypeOf } from './hostKeys';
import { generateEd25519, readEnvelope } from './opensshKey';
import { systemCode } from './tcp';

export interface OwnKey {
  readonly privateKeyPath: string;
  /** The `authorized_keys` line: type, key and our comment. */
  readonly publicKeyLine: string;
}

export const ownKeyComment = 'runpod-workspaces';

/** The private key's place inside our key folder. */
export const ownKeyPath = (dir: string, join = (...parts: string[]): string => path.join(...parts)): string => join(dir, 'id_ed25519');

/**
 * The extension's own ed25519 key, made on first need (file 0600, folder 0700). An existing file is never overwritten: the new
 * key appears under its name whole or not at all, and of several windows that make one at once the first wins.
 * @throws SshError key-unreadable when something is there that is no usable key of ours.
 */
export async function ensureOwnKey(dir: string): Promise<OwnKey> {
  const privateKeyPath = ownKeyPath(dir);
  // An unfinished file can only be one that a file system without hard links made us write in place; it is soon complete.
  for (let attempt = 0; ; attempt++) {
    const text = await readIfThere(privateKeyPath);
    if (text === undefined) {
      await create(dir, privateKeyPath);
      continue;
    }
    const envelope = readEnvelope(text);
    if (envelope !== undefined && !envelope.encrypted && keyTypeOf(envelope.publicBlob) === 'ssh-ed25519') {
      const publicKeyLine = `ssh-ed25519 ${envelope.publicBlob.toString('base64')} ${ownKeyComment}`;
      await tidy(privateKeyPath, publicKeyLine);
      return { privateKeyPath, publicKeyLine };
    }
    if (attempt >= 10) {
      const reason = envelope === undefined ? 'malformed' : envelope.encrypted ? 'encrypted' : 'not-ed25519';
      throw new SshError('key-unreadable', { path: privateKeyPath, reason });
    }
    await sleep(50);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new SshError('key-unreadable', { path: file, reason: systemCode(error), detail: messageOf(error) }, { cause: error });
  }
}

async function create(dir: string, file: string): Promise<void> {
  const { privateKey } = generateEd25519(ownKeyComment);
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    await fs.mkdir(dir, { recursive: true, mode: 0o700 });
    // On Windows this does nothing; there the profile's own access rules keep others out.
    await fs.chmod(dir, 0o700);
    await fs.writeFile(fresh, privateKey, { mode: 0o600, flag: 'wx', flush: true });
    try {
      await fs.link(fresh, file);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return;
      // No hard links on this file system (exFAT, some network shares): exclusive, though not in one step.
      await fs.writeFile(file, privateKey, { mode: 0o600, flag: 'wx', flush: true }).catch((again: unknown) => {
        if (systemCode(again) !== 'EEXIST') throw again;
      });
    }
  } catch (error) {
    throw new SshError('key-unreadable', { path: file, reason: systemCode(error), detail: messageOf(error) }, { cause: error });
  } finally {
    await fs.rm(fresh, { force: true }).catch(() => undefined);
  }
}

/** The public half lies beside the private one for people and other tools; we never read it. */
async function tidy(file: string, publicKeyLine: string): Promise<void> {
  const stat = await fs.stat(file).catch(() => undefined);
  if (stat !== undefined && process.platform !== 'win32' && (stat.mode & 0o077) !== 0) await fs.chmod(file, 0o600).catch(() => undefined);
  await fs.writeFile(`${file}.pub`, `${publicKeyLine}\n`, { mode: 0o644, flag: 'wx' }).catch(() => undefined);
}
