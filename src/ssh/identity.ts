/** Where a key was found. */
export type IdentitySource = 'own' | 'configured' | 'runpod' | 'home' | 'agent';

/** The hash an RSA key is to sign with; other kinds have one of their own. */
export type SignatureHash = 'sha256' | 'sha512' | undefined;

/** A key that can prove who we are. Its private part is read, or its passphrase asked for, only when a server would take it. */
export interface Identity {
  readonly source: IdentitySource;
  /** For people: the file's path, or the agent's comment on the key. */
  readonly label: string;
  /** The key file; absent for a key that only an agent holds. */
  readonly path?: string;
  /** The public key's algorithm name, blob and fingerprint. */
  readonly type: string;
  readonly publicBlob: Buffer;
  readonly fingerprint: string;
  /**
   * Signs a login challenge.
   * @throws SshError key-locked or key-unreadable; CancelledError.
   */
  sign(data: Buffer, hash: SignatureHash): Promise<Buffer>;
}

/** Servers close the connection after six failed tries (OpenSSH's MaxAuthTries), so more than six are never offered. */
export const maxOffered = 6;

/** The key blobs in `authorized_keys` text (a pod's `PUBLIC_KEY`): options before a key and comments after it are passed over. */
export function publicBlobs(authorizedKeys: string | readonly string[]): string[] {
  const lines = typeof authorizedKeys === 'string' ? [authorizedKeys] : authorizedKeys;
  return lines
    .flatMap((text) => text.split(/[\r\n]+/))
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => /(?:^|\s)(?:ssh-|ecdsa-|sk-)[\w@.-]+\s+(AAAA[A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(line)?.[1] ?? []);
}

/**
 * Which keys to offer, in which order, and how many had to stay behind. Each key is offered once. Keys that the pod is known to
 * take come first, ours first among equals; an agent full of other keys cannot use up the tries.
 * @param expectedPublicKeys `authorized_keys` lines the server is thought to have; empty when nothing is known.
 */
export function chooseIdentities(
  identities: readonly Identity[],
  expectedPublicKeys: readonly string[] = [],
): { offered: Identity[]; notOffered: number } {
  const expected = new Set(publicBlobs(expectedPublicKeys));
  const seen = new Set<string>();
  const unique = identities.filter(({ fingerprint }) => !seen.has(fingerprint) && seen.add(fingerprint));
  const rank = (identity: Identity): number =>
    (expected.has(identity.publicBlob.toString('base64')) ? 0 : 2) + (identity.source === 'own' ? 0 : 1);
  const ordered = unique.map((identity) => ({ identity, rank: rank(identity) })).sort((a, b) => a.rank - b.rank);
  return {
    offered: ordered.slice(0, maxOffered).map(({ identity }) => identity),
    notOffered: Math.max(0, ordered.length - maxOffered),
  };
}

/** The `authorized_keys` line of a key. */
export const publicKeyLine = (identity: Pick<Identity, 'type' | 'publicBlob' | 'label'>): string =>
  `${identity.type} ${identity.publicBlob.toString('base64')} ${identity.label.replace(/\s+/g, ' ')}`;

