import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fingerprintOf, hostKeyOf, keyTypeOf, knownHostsLine } from '../../src/ssh/hostKeys';
import { makeKeyPair } from '../support/sshd';
import { Scratch } from './support';

const run = promisify(execFile);

describe('host keys', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it('are fingerprinted and named as ssh-keygen does, and written so that it finds them', async () => {
    const dir = await scratch.dir();
    for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
      const pair = await makeKeyPair(path.join(dir, type), { type });
      const raw = Buffer.from((await readFile(`${pair.path}.pub`, 'utf8')).split(' ')[1] ?? '', 'base64');
      const { stdout } = await run('ssh-keygen', ['-lf', `${pair.path}.pub`]);
      assert.equal(stdout.split(' ')[1], fingerprintOf(raw));
      assert.equal(hostKeyOf(raw).type, pair.publicKey.split(' ')[0]);
      const known = path.join(dir, 'known_hosts');
      await writeFile(known, `${knownHostsLine('203.0.113.7', 22022, raw)}\n${knownHostsLine('runpod-abc123', undefined, raw)}\n`);
      for (const name of ['[203.0.113.7]:22022', 'runpod-abc123']) assert.match((await run('ssh-keygen', ['-F', name, '-f', known])).stdout, /found: line/);
    }
  });

  it('with names that would mean something else in known_hosts are refused', () => {
    for (const host of ['*', 'a,b', 'a b', '@revoked', '|1|x', '#x', '', '-x', 'a\nb']) assert.throws(() => knownHostsLine(host, 22, Buffer.alloc(4)), RangeError);
  });

  it('that are no keys have no type and do no harm', () => {
    for (const raw of [Buffer.alloc(0), Buffer.from([0, 0, 0, 200, 1]), Buffer.from('\0\0\0\x03a\nb', 'latin1')]) assert.equal(keyTypeOf(raw), 'unknown');
  });
});
