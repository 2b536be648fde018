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

/** One fingerprint that a pod's start script printed. */
export interface LoggedFingerprint {
  /** `RSA`, `DSA`, `ECDSA` or `ED25519`, as ssh-keygen writes it. */
  readonly type: string;
  readonly bits: number;
  readonly fingerprint: string;
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

/** Lines of other programs that may fall between a marker and its fingerprint; they share the container's log. */
const patience = 5;

/**
 * The host-key fingerprints that RunPod's official start script printed into a pod's container log, of the last start in it.
 *
 * The script prints `<TYPE> key fingerprint:` and the `ssh-keygen -lf` line for each key it makes, then `SSH host keys:` and
 * for every key `Key: /etc/ssh/….pub` and its `ssh-keygen -lf` line. Only lines that follow such a marker count: anything
 * else in the log may look like a fingerprint and mean another key. A later start forgets what an earlier one printed, for
 * a new container has new keys.
 */
export function parseFingerprints(lines: Iterable<string>): LoggedFingerprint[] {
  let found = new Map<string, LoggedFingerprint>();
  let listed = false;
  let awaiting: { type: string | undefined; patience: number } | undefined;
  const startOver = (): void => {
    found = new Map();
    listed = false;
    awaiting = undefined;
  };

  for (const raw of lines) {
    const line = clean(raw);
    const made = /^(RSA|DSA|ECDSA|ED25519) key fingerprint:$/.exec(line)?.[1];
    if (line === 'Pod Started') startOver();
    else if (made !== undefined) {
      // Keys are made before the list is printed; one made after it, or made twice, belongs to another start.
      if (listed || found.has(made)) startOver();
      awaiting = { type: made, patience };
    } else if (line === 'SSH host keys:') {
      if (listed) startOver();
      listed = true;
      awaiting = undefined;
    } else if (listed && /^Key: \/etc\/ssh\/[\w.-]+\.pub$/.test(line)) awaiting = { type: undefined, patience };
    else if (awaiting !== undefined) {
      const printed = keygenLine(line);
      if (printed !== undefined && (awaiting.type === undefined || awaiting.type === printed.type)) {
        found.set(printed.type, printed);
        awaiting = undefined;
      } else if (line !== '' && --awaiting.patience <= 0) awaiting = undefined;
    }
  }
  return [...found.values()];
}

/** `256 SHA256:… root@host (ED25519)`: 32 bytes in unpadded base64 are 43 characters, never more. */
function keygenLine(line: string): LoggedFingerprint | undefined {
  const match = /^(\d{3,5}) (SHA256:[A-Za-z0-9+/]{43}) .*\((RSA|DSA|ECDSA|ED25519)\)$/.exec(line);
  const [, bits, fingerprint, type] = match ?? [];
  return bits === undefined || fingerprint === undefined || type === undefined ? undefined : { type, bits: Number(bits), fingerprint };
}

/** Without colours and line ends; nothing else is forgiven. */
const clean = (line: string): string => line.replace(/\x1b\[[0-9;]*m/g, '').trim();

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
