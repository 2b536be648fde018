import { createHash } from 'node:crypto';

/** A server's public host key as it came over the wire. */
export interface HostKey {
  /** The key's algorithm name, for example `ssh-ed25519`. */
  readonly type: string;
  /** As `ssh-keygen -l` prints it: `SHA256:` and unpadded base64. */
  readonly fingerprint: string;
  /** The public key blob (RFC 4253, 6.6). */
  readonly raw: Buffer;
}

/** The fingerprint of a public key blob, as `ssh-keygen -l` prints it. */
export const fingerprintOf = (raw: Uint8Array): string => `SHA256:${createHash('sha256').update(raw).digest('base64').replace(/=+$/, '')}`;

/** The algorithm name at the start of a public key blob; `unknown` when there is none. */
export function keyTypeOf(raw: Buffer): string {
  if (raw.length < 4) return 'unknown';
  const length = raw.readUInt32BE(0);
  const name = length > 0 && length <= 64 && raw.length >= 4 + length ? raw.toString('latin1', 4, 4 + length) : '';
  return /^[a-zA-Z0-9@._-]+$/.test(name) ? name : 'unknown';
}

export const hostKeyOf = (raw: Buffer): HostKey => ({ type: keyTypeOf(raw), fingerprint: fingerprintOf(raw), raw });

/**
 * One line for an OpenSSH `known_hosts` file, without line end.
 * @param host a name, an address or an alias; with a `port` other than 22 it is written `[host]:port`.
 */
export function knownHostsLine(host: string, port: number | undefined, raw: Buffer): string {
  // Commas, blanks, wildcards and '#', '|', '@' at the start all mean something in that file.
  if (!/^[A-Za-z0-9:][A-Za-z0-9._:%-]*$/.test(host)) throw new RangeError(`Not a host name: ${JSON.stringify(host)}`);
  const name = port === undefined || port === 22 ? host : `[${host}]:${port}`;
  return `${name} ${keyTypeOf(raw)} ${raw.toString('base64')}`;
}
