import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { ensureOwnKey } from '../../src/ssh/keys';
import { makeKeyPair, startSshd } from '../support/sshd';
import { Scratch } from './support';

const run = promisify(execFile);

describe('with the cryptography of the desktop editor, which has no ChaCha20', function () {
  this.timeout(60_000);
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it('every kind of key opens a server, locked ones too, and a server that takes nothing else is told of', async () => {
    const dir = await scratch.dir();
    const ownKeyDir = path.join(dir, 'own');
    const passphrase = 'correct horse';
    const { publicKeyLine, privateKeyPath } = await ensureOwnKey(ownKeyDir);
    const locked = await makeKeyPair(path.join(dir, 'locked'), { passphrase });
    const ecdsa = await makeKeyPair(path.join(dir, 'ecdsa'), { type: 'ecdsa', passphrase });
    const rsa = await makeKeyPair(path.join(dir, 'rsa'), { type: 'rsa' });
    const old = path.join(dir, 'old');
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', passphrase, '-C', 'test', '-f', old]);
    const authorizedKeys = [publicKeyLine, locked.publicKey, ecdsa.publicKey, rsa.publicKey, (await readFile(`${old}.pub`, 'utf8')).trim()];
    const [usual, stubborn] = [await startSshd({ authorizedKeys }), await startSshd({ authorizedKeys, extraConfig: 'Ciphers chacha20-poly1305@openssh.com' })];
    for (const one of [usual, stubborn]) scratch.onEnd(() => one.stop());

    const keys = [locked.path, ecdsa.path, rsa.path, old];
    const task = { ownKeyDir, homeDir: dir, keys, passphrase, servers: [usual, stubborn].map(({ host, port, username }) => ({ host, port, username })) };
    const { stdout } = await run(process.execPath, ['--import', 'tsx', path.join(__dirname, 'likeElectron.ts'), JSON.stringify(task)]);
    const said = JSON.parse(stdout) as [number, string, string][];
    assert.deepEqual(said.slice(0, -1), [privateKeyPath, ...keys].map((file) => [0, file, 'hello']));
    assert.match(said.at(-1)?.[2] ?? '', /no matching .*cipher/i);
  });
});
