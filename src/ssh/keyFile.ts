import * as fs from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import { messageOf } from '../base/errors';
import { SshError } from './errors';
import { fingerprintOf, keyTypeOf } from './hostKeys';
import { publicBlobs, type Identity, type IdentitySource } from './identity';
import { readEnvelope } from './opensshKey';
import type { Unlocker } from './passphrases';
import type { Ssh2Module } from './loadSsh2';
import { systemCode } from './tcp';

/** Far above any key; whatever is bigger is something else. */
const maxSize = 64 * 1024;

/** What this room can sign with. Hardware keys (`sk-…`) work in OpenSSH's own tools only. */
const usableTypes = new Set(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa']);
export const isUsableType = (type: string): boolean => usableTypes.has(type);

export interface KeyFileContext {
  readonly ssh2: Ssh2Module;
  /** Absent: locked keys stay locked. */
  readonly unlocker?: Unlocker<ParsedKey> | undefined;
}

/**
 * Makes an identity of a private key file by reading its public half. Asks nothing, except for a locked key in the old PEM form
 * without its `.pub` beside it, whose public half is locked too.
 * @throws SshError key-unreadable with `params.reason`: the system's code, `missing`, `not-a-file`, `putty`, `pkcs8`,
 *   `unsupported-type`, `malformed` or `unknown-format`; key-locked.
 */
export async function keyFileIdentity(path: string, source: IdentitySource, context: KeyFileContext): Promise<Identity> {
  const { blob } = await publicHalf(path, await readKeyText(path), context);
  const type = keyTypeOf(blob);
  if (!isUsableType(type)) throw unreadable(path, 'unsupported-type', type);
  return {
    source,
    label: path,
    path,
    type,
    publicBlob: blob,
    fingerprint: fingerprintOf(blob),
    async sign(data, hash) {
      const key = await open(path, await readKeyText(path), context);
      // The file may have been replaced since, or its `.pub` may belong to another key.
      if (!key.getPublicSSH().equals(blob)) throw unreadable(path, 'changed');
      // ssh2 reports a failure by returning it.
      const signature: Buffer | Error = key.sign(data, hash);
      if (signature instanceof Error) throw unreadable(path, 'cannot-sign', messageOf(signature));
      return signature;
    },
  };
}

const unreadable = (path: string, reason: string, detail?: string, cause?: unknown): SshError =>
  new SshError('key-unreadable', { path, reason, detail }, { cause });

async function readKeyText(path: string): Promise<string> {
  try {
    const stat = await fs.stat(path);
    if (!stat.isFile()) throw unreadable(path, 'not-a-file');
    if (stat.size > maxSize) throw unreadable(path, 'unknown-format');
    return (await fs.readFile(path, 'latin1')).trim();
  } catch (error) {
    if (error instanceof SshError) throw error;
    const code = systemCode(error);
    throw unreadable(path, code === 'ENOENT' ? 'missing' : (code ?? 'unknown'), messageOf(error), error);
  }
}

async function publicHalf(path: string, text: string, context: KeyFileContext): Promise<{ blob: Buffer }> {
  switch (formOf(text)) {
    case 'openssh': {
      const envelope = readEnvelope(text);
      if (envelope === undefined) throw unreadable(path, 'malformed');
      return { blob: envelope.publicBlob };
    }
    case 'pem-locked': {
      const [beside] = publicBlobs(await fs.readFile(`${path}.pub`, 'latin1').catch(() => ''));
      return { blob: beside === undefined ? (await open(path, text, context)).getPublicSSH() : Buffer.from(beside, 'base64') };
    }
    case 'pem':
      return { blob: (await open(path, text, context)).getPublicSSH() };
    case 'putty':
      throw unreadable(path, 'putty');
    case 'pkcs8':
      throw unreadable(path, 'pkcs8');
    case undefined:
      throw unreadable(path, 'unknown-format');
  }
}

/** Opens the private half, with a passphrase where it is locked. */
async function open(path: string, text: string, { ssh2, unlocker }: KeyFileContext): Promise<ParsedKey> {
  const locked = formOf(text) === 'pem-locked' || readEnvelope(text)?.encrypted === true;
  if (!locked) {
    const key = ssh2.utils.parseKey(text);
    if (key instanceof Error) throw unreadable(path, 'malformed', messageOf(key), key);
    return key;
  }
  if (unlocker === undefined) throw new SshError('key-locked', { path, reason: 'no-passphrase' });
  return unlocker.unlock(path, (passphrase) => {
    const key = ssh2.utils.parseKey(text, passphrase);
    return key instanceof Error ? undefined : key;
  });
}

type Form = 'openssh' | 'pem' | 'pem-locked' | 'pkcs8' | 'putty';

function formOf(text: string): Form | undefined {
  if (/^PuTTY-User-Key-File-\d/.test(text)) return 'putty';
  const kind = /^-----BEGIN (OPENSSH|RSA|EC|DSA|ENCRYPTED)? ?PRIVATE KEY-----/.exec(text);
  if (kind === null) return undefined;
  if (kind[1] === 'OPENSSH') return 'openssh';
  if (kind[1] === undefined || kind[1] === 'ENCRYPTED') return 'pkcs8';
  return /^Proc-Type: 4,ENCRYPTED/m.test(text) ? 'pem-locked' : 'pem';
}
