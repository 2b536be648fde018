import * as fs from 'node:fs/promises';
import * as nodePath from 'node:path';
import type { ParsedKey } from 'ssh2';
import { messageOf } from '../base/errors';
import { silentLog, type Logger } from '../base/log';
import { agentIdentities, agentSockets } from './agents';
import { SshError, isSshError } from './errors';
import type { Identity, IdentitySource } from './identity';
import { keyFileIdentity, type KeyFileContext } from './keyFile';
import { ownKeyPath } from './ownKey';
import type { Unlocker } from './passphrases';
import { loadSsh2 } from './loadSsh2';

export { ensureOwnKey, type OwnKey } from './ownKey';
export { chooseIdentities, maxOffered, publicBlobs, publicKeyLine, type Identity } from './identity';
export { KeyUnlocker, type AskPassphrase } from './passphrases';

export interface IdentitySearch {
  /** The folder of the extension's own key; the key is used when it is there and not made here. */
  readonly ownKeyDir?: string | undefined;
  readonly homeDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `false`: agents are left alone. One may ask a person before it signs. */
  readonly agents?: boolean;
  readonly platform?: NodeJS.Platform;
  /** Key files a person named; `~` means the home folder. */
  readonly extraPaths?: readonly string[];
  /** Keep one for the session: it remembers the keys it opened. Absent: locked keys cannot be used. */
  readonly unlocker?: Unlocker<ParsedKey> | undefined;
  /** Told of each key that could not be used, with the reason; the search goes on. */
  readonly onProblem?: (problem: SshError) => void;
  readonly log?: Logger;
  /** The names under `\\.\pipe\`; replaced in tests. */
  readonly listPipes?: () => string[];
}

export interface KeyPlace {
  readonly path: string;
  readonly source: IdentitySource;
  /** A folder whose files are keys. */
  readonly folder?: true;
}

/** An agent that has not answered by then is left out. */
const agentDeadlineMs = 3_000;

/** Everywhere a private key may lie, in the order in which keys are offered. Pure: nothing is read. */
export function keyPlaces({ ownKeyDir, homeDir, extraPaths = [], platform = process.platform }: Omit<IdentitySearch, 'env'>): KeyPlace[] {
  const flavour = platform === 'win32' ? nodePath.win32 : nodePath.posix;
  const join = (...parts: string[]): string => flavour.join(...parts);
  const absolute = (path: string): string => {
    const rest = /^~(?:$|[/\\])(.*)$/s.exec(path)?.[1];
    if (rest !== undefined) return join(homeDir, rest);
    return flavour.isAbsolute(path) ? flavour.normalize(path) : join(homeDir, path);
  };
  const places: KeyPlace[] = [];
  if (ownKeyDir !== undefined) places.push({ path: ownKeyPath(ownKeyDir, join), source: 'own' });
  for (const path of extraPaths) if (path.trim() !== '') places.push({ path: absolute(path.trim()), source: 'configured' });
  places.push({ path: join(homeDir, '.ssh', 'runpod_key'), source: 'runpod' });
  places.push({ path: join(homeDir, '.runpod', 'ssh'), source: 'runpod', folder: true });
  for (const name of ['id_ed25519', 'id_ecdsa', 'id_rsa']) places.push({ path: join(homeDir, '.ssh', name), source: 'home' });
  return places;
}

/**
 * Finds every key a person has that could open a pod: our own, configured ones, runpodctl's, the usual ones of OpenSSH, then
 * those of agents. Only public halves are looked at; a key that an agent holds too is signed with there, so that nobody is
 * asked for its passphrase. What cannot be used is told to `onProblem` and left out.
 */
export async function findIdentities(search: IdentitySearch): Promise<Identity[]> {
  const { env, platform = process.platform, onProblem, log = silentLog } = search;
  const ssh2 = await loadSsh2();
  const context: KeyFileContext = { ssh2, unlocker: search.unlocker };
  const found: Identity[] = [];
  for (const place of await expand(keyPlaces(search))) {
    try {
      found.push(await keyFileIdentity(place.path, place.source, context));
    } catch (error) {
      if (!(error instanceof SshError)) throw error;
      // Only a key that somebody named is missed; and in runpodctl's folder lie other files too.
      const expected = isSshError(error, 'key-unreadable') && error.params.reason === 'missing' && place.source !== 'configured';
      const foreign = place.guessed === true && error.params.reason === 'unknown-format';
      if (expected || foreign) continue;
      log.warn(error.message);
      onProblem?.(error);
    }
  }

  const held = new Map<string, Identity>();
  const text = search.agents === false ? '' : await fs.readFile(nodePath.join(search.homeDir, '.ssh', 'config'), 'utf8').catch(() => '');
  const sockets = search.agents === false ? [] : agentSockets({ env, platform, config: { text, homeDir: search.homeDir }, listPipes: search.listPipes });
  for (const socket of sockets) {
    try {
      for (const identity of await agentIdentities(ssh2, socket, agentDeadlineMs))
        if (!held.has(identity.fingerprint)) held.set(identity.fingerprint, identity);
    } catch (error) {
      log.debug(`No SSH agent at ${socket}: ${messageOf(error)}`);
    }
  }
  const files = found.map((identity) => {
    const agent = identity.source === 'own' ? undefined : held.get(identity.fingerprint);
    if (agent === undefined) return identity;
    const sign: Identity['sign'] = (data, hash) => agent.sign(data, hash).catch(() => identity.sign(data, hash));
    return { ...identity, sign };
  });
  const known = new Set(files.map(({ fingerprint }) => fingerprint));
  return [...files, ...[...held.values()].filter(({ fingerprint }) => !known.has(fingerprint))];
}

type ExpandedPlace = Omit<KeyPlace, 'folder'> & { readonly guessed?: true };

/** Folders become the files in them, the names that runpodctl gives its keys first. */
async function expand(places: readonly KeyPlace[]): Promise<ExpandedPlace[]> {
  const first = ['RunPod-Key-Go', 'runpodctl-ssh-key'];
  const files: ExpandedPlace[] = [];
  for (const { path, source, folder } of places) {
    if (folder !== true) {
      files.push({ path, source });
      continue;
    }
    const names = await fs.readdir(path).catch(() => []);
    const keys = names.filter((name) => !name.endsWith('.pub') && !/^(known_hosts|config|authorized_keys)/.test(name));
    keys.sort((a, b) => Number(first.includes(b)) - Number(first.includes(a)) || a.localeCompare(b));
    for (const name of keys) files.push({ path: nodePath.join(path, name), source, guessed: true });
  }
  return files;
}
