// Logs in as the desktop editor would, whose cryptography is BoringSSL: what that lacks is taken away before anything of ours is
// loaded. Says as one line of JSON what came of each login.
import type * as Crypto from 'node:crypto';
import { messageOf } from '../../src/base/errors';

/** What `crypto.getCiphers()` gives in Electron, whose createCipheriv takes no other. */
const ciphers = `aes-128-cbc aes-128-cfb aes-128-ctr aes-128-ecb aes-128-gcm aes-128-ofb aes-192-cbc aes-192-ctr aes-192-ecb aes-192-gcm
  aes-192-ofb aes-256-cbc aes-256-cfb aes-256-ctr aes-256-ecb aes-256-gcm aes-256-ofb des-cbc des-ecb des-ede des-ede-cbc des-ede3-cbc
  rc2-cbc rc4`.split(/\s+/);
const hashes = 'RSA-MD5 RSA-SHA1 RSA-SHA224 RSA-SHA256 RSA-SHA384 RSA-SHA512 md5 sha1 sha224 sha256 sha384 sha512'.split(' ');
const curves = ['prime256v1', 'secp224r1', 'secp384r1', 'secp521r1'];

type Maker = (name: string, ...rest: unknown[]) => unknown;

function takeAway(): void {
  const crypto: typeof Crypto = process.getBuiltinModule('node:crypto');
  const only = (made: Maker, known: readonly string[]): Maker => (name, ...rest) => {
    if (!known.includes(name.toLowerCase()) && !known.includes(name)) throw new Error(`Unknown here: ${name}`);
    return made(name, ...rest);
  };
  Object.assign(crypto, {
    getCiphers: () => [...ciphers],
    getHashes: () => [...hashes],
    getCurves: () => [...curves],
    createCipheriv: only(crypto.createCipheriv as Maker, ciphers),
    createDecipheriv: only(crypto.createDecipheriv as Maker, ciphers),
    createECDH: only(crypto.createECDH as Maker, curves),
    generateKeyPairSync: only(crypto.generateKeyPairSync as Maker, ['rsa', 'ec', 'ed25519', 'x25519']),
  });
}

interface Task {
  readonly ownKeyDir: string;
  readonly homeDir: string;
  readonly keys: readonly string[];
  readonly passphrase: string;
  readonly servers: readonly { readonly host: string; readonly port: number; readonly username: string }[];
}

async function main({ ownKeyDir, homeDir, keys, passphrase, servers }: Task): Promise<unknown[]> {
  takeAway();
  const { ensureOwnKey, findIdentities, KeyUnlocker } = await import('../../src/ssh/keys');
  const { SshConnection } = await import('../../src/ssh/connection');
  await ensureOwnKey(ownKeyDir);
  const identities = await findIdentities({ ownKeyDir, homeDir, env: {}, extraPaths: keys, unlocker: new KeyUnlocker(async () => passphrase) });
  const said: unknown[] = [];
  for (const [i, server] of servers.entries())
    for (const identity of i === 0 ? identities : identities.slice(0, 1))
      try {
        const connection = await SshConnection.connect({ ...server, identities: [identity], verifyHostKey: () => true });
        said.push([i, identity.label, (await connection.run('echo hello')).stdout.toString().trim()]);
        connection.end();
      } catch (error) {
        said.push([i, identity.label, messageOf(error)]);
      }
  return said;
}

main(JSON.parse(process.argv[2] ?? '') as Task).then(
  (said) => {
    process.stdout.write(`${JSON.stringify(said)}\n`);
    process.exit(0);
  },
  (error: unknown) => {
    process.stderr.write(String(error));
    process.exit(1);
  },
);
