/**
 * What went wrong between us and an SSH server, as something code can decide on. Words for people live in the editor's room.
 *
 * - `refused`: nothing listens on the port.
 * - `unreachable`: no route, or the name does not resolve.
 * - `timeout`: a stage did not end in time (`params.stage` says which).
 * - `not-ssh`: the port accepts connections but no SSH banner came (`params.reason`: silent, closed, other).
 * - `host-key-mismatch`: the server showed another key than the one expected. Nothing was sent to it.
 * - `host-key-rejected`: whoever was asked said no to the key.
 * - `auth-failed`: the server took none of the keys.
 * - `key-locked`: a key the server would take needs a passphrase that was not given, or was wrong.
 * - `key-unreadable`: a key file cannot be read or is in a form we do not know (`params.reason`).
 * - `closed`: the link ended while something was under way, or had ended before.
 * - `channel-refused`: the server is there but would not open this session or forward.
 * - `no-sftp`: the server has no SFTP subsystem.
 * - `protocol`: the two sides could not agree, or the server broke the protocol.
 */
export type SshErrorCode =
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'not-ssh'
  | 'host-key-mismatch'
  | 'host-key-rejected'
  | 'auth-failed'
  | 'key-locked'
  | 'key-unreadable'
  | 'closed'
  | 'channel-refused'
  | 'no-sftp'
  | 'protocol';

/** Where in the life of a connection something happened. */
export type SshStage = 'tcp' | 'banner' | 'handshake' | 'host-key' | 'auth' | 'open' | 'request' | 'run' | 'ping';

/** The facts behind an error, for words that help. Each is there only when it is known. */
export interface SshErrorParams {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly stage?: SshStage | undefined;
  readonly path?: string | undefined;
  /** A short machine word that tells causes of one code apart. */
  readonly reason?: string | undefined;
  /** The other side's, or the system's, own words. Never a secret. */
  readonly detail?: string | undefined;
  readonly keyType?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly expected?: readonly string[] | undefined;
  /** Labels of the keys that were offered, in order. */
  readonly offered?: readonly string[] | undefined;
  /** How many more keys there were than a server lets a client try. */
  readonly notOffered?: number | undefined;
  readonly ms?: number | undefined;
}

/** Any failure of this room that is not a cancellation. */
export class SshError extends Error {
  override readonly name = 'SshError';
  constructor(
    readonly code: SshErrorCode,
    readonly params: SshErrorParams = {},
    options?: { cause?: unknown },
  ) {
    super(describe(code, params), options?.cause === undefined ? undefined : { cause: options.cause });
  }
}

export const isSshError = (error: unknown, code?: SshErrorCode): error is SshError =>
  error instanceof SshError && (code === undefined || error.code === code);

/** For logs: one line with everything known. */
function describe(code: SshErrorCode, p: SshErrorParams): string {
  const where = p.host === undefined ? '' : ` ${p.host}:${p.port ?? 22}`;
  const facts = [
    p.stage && `stage ${p.stage}`,
    p.reason,
    p.path,
    p.keyType,
    p.fingerprint,
    p.expected && p.expected.length > 0 && `expected ${p.expected.join(' or ')}`,
    p.offered && `offered ${p.offered.length === 0 ? 'no key' : p.offered.join(', ')}`,
    p.ms !== undefined && `after ${p.ms / 1000} s`,
    p.detail,
  ].filter((fact): fact is string => typeof fact === 'string' && fact !== '');
  return `SSH ${code}${where}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`;
}
