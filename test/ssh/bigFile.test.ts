import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { makeKeyPair, startSshd } from '../support/sshd';
import { Scratch } from './support';

const run = promisify(execFile);

describe('a big file over SSH', function () {
  this.timeout(60_000);
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it('comes and goes whole with every cipher, keys exchanged anew on the way, with and without ssh2’s native parts', async () => {
    const dir = await scratch.dir();
    const key = await makeKeyPair(path.join(dir, 'key'));
    const file = path.join(dir, 'big');
    const bytes = randomBytes(24_000_000);
    await writeFile(file, bytes);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr', 'chacha20-poly1305@openssh.com'];
    const servers = await Promise.all(ciphers.map((cipher) => startSshd({ authorizedKeys: [key.publicKey], extraConfig: `Ciphers ${cipher}\nRekeyLimit 2M` })));
    for (const server of servers) scratch.onEnd(() => server.stop());

    const carry = async (native: boolean): Promise<string[]> => {
      const task = { native, keyFile: key.path, file, servers: servers.map(({ host, port, username }) => ({ host, port, username })) };
      const { stdout } = await run(process.execPath, ['--import', 'tsx', path.join(__dirname, 'bigFile.ts'), JSON.stringify(task)]);
return (JSON.parse(stdout) as string[][]).map((said, i) => [ciphers[i], ...said.map((one) => (one === hash ? 'whole' : one))].join(', '));
    };
    const [gcm128, gcm256, ctr, chacha] = ciphers;
    assert.deepEqual(await carry(false), [
      `${gcm128}, whole, whole, all lent, most freed, all gone`,
      `${gcm256}, whole, whole, all lent, most freed, all gone`,
      `${ctr}, whole, whole, all lent, most freed, all gone`,
      `${chacha}, whole, whole, nothing lent, most freed, all gone`,
    ]);
    // These decrypt in place, but for the packets that come in pieces, and of them there may be none.
    for (const [i, said] of (await carry(true)).entries()) assert.match(said, new RegExp(`^${ciphers[i]}, whole, whole, nothing lent, (some|nothing) freed, all gone$`));
  });
});
