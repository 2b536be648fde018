import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** The outer, never encrypted part of a private key file in OpenSSH's own format (PROTOCOL.key). */
export interface OpenSshEnvelope {
  /** The public key blob. */
  readonly publicBlob: Buffer;
  readonly encrypted: boolean;
}

const magic = 'openssh-key-v1\0';

/** Reads what an OpenSSH private key file says openly, without touching its secret part; `undefined` when it is malformed. */
export function readEnvelope(text: string): OpenSshEnvelope | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const data = Buffer.from(body, 'base64');
  if (data.toString('latin1', 0, magic.length) !== magic) return undefined;
  try {
    const reader = new Reader(data, magic.length);
    const cipher = reader.string().toString('latin1');
    reader.string(); // the key derivation's name
    reader.string(); // and its options
    if (reader.uint32() !== 1) return undefined;
    return { publicBlob: Buffer.from(reader.string()), encrypted: cipher !== 'none' };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Makes an ed25519 key pair: the private key as an unencrypted OpenSSH file, the public key as an `authorized_keys` line.
 * (ssh2's own generator strips leading zero bytes from the public half and so spoils one key in 256.)
 */
export function generateEd25519(comment: string): { privateKey: string; publicKeyLine: string } {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  if (jwk.d === undefined || jwk.x === undefined) throw new Error('The system made an incomplete ed25519 key');
  const seed = Buffer.from(jwk.d, 'base64url');
  const point = Buffer.from(jwk.x, 'base64url');
  const type = 'ssh-ed25519';
  const publicBlob = Buffer.concat([sshString(type), sshString(point)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    sshString(type),
    sshString(point),
    sshString(Buffer.concat([seed, point])),
    sshString(comment),
  ]);
  // Padded 1, 2, 3, … to the block size of no cipher at all, which is 8.
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const data = Buffer.concat([
    Buffer.from(magic, 'latin1'),
    sshString('none'),
    sshString('none'),
    sshString(''),
    one,
    sshString(publicBlob),
    sshString(Buffer.concat([secret, padding])),
  ]);
  const lines = data.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKeyLine: `${type} ${publicBlob.toString('base64')} ${comment}`,
  };
}

/** A length-prefixed string of the SSH protocols (RFC 4251, 5). */
function sshString(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

class Reader {
  constructor(
    private readonly data: Buffer,
    private position: number,
  ) {}

  uint32(): number {
    const value = this.data.readUInt32BE(this.position);
    this.position += 4;
    return value;
  }

  string(): Buffer {
    const end = this.position + 4 + this.data.readUInt32BE(this.position);
    if (end > this.data.length) throw new RangeError('The key ends in the middle of a field');
    const value = this.data.subarray(this.position + 4, end);
    this.position = end;
    return value;
  }
}
