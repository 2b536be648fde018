import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fingerprintOf, hostKeyOf, keyTypeOf, knownHostsLine, parseFingerprints } from '../../src/ssh/hostKeys';
import { makeKeyPair } from '../support/sshd';
import { Scratch } from './support';

const run = promisify(execFile);
const sha = (letter: string): string => `SHA256:${letter.repeat(43)}`;

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

describe('fingerprints in a container log', () => {
  const line = (letter: string, type = 'ED25519', bits = 256): string => `${bits} ${sha(letter)} root@f1e2d3 (${type})`;
  const values = (lines: string[]): string[] => parseFingerprints(lines).map((found) => `${found.type} ${found.fingerprint[7] ?? ''}`);
  const start = (rsa: string, ed: string): string[] => [
    'Starting nginx...',
    'Pod Started',
    'Setting up SSH...',
    'RSA key fingerprint:',
    line(rsa, 'RSA', 3072),
    'ED25519 key fingerprint:',
    line(ed),
    ' * Starting OpenBSD Secure Shell server sshd',
    '   ...done.',
    'SSH host keys:',
    'Key: /etc/ssh/ssh_host_ed25519_key.pub',
    line(ed),
    'Key: /etc/ssh/ssh_host_rsa_key.pub',
    line(rsa, 'RSA', 3072),
    'Start script(s) finished, Pod is ready to use.',
  ];

  it('are found as the official start script prints them', () => {
    assert.deepEqual(parseFingerprints(start('r', 'e')), [
      { type: 'RSA', bits: 3072, fingerprint: sha('r') },
      { type: 'ED25519', bits: 256, fingerprint: sha('e') },
    ]);
  });

  it('are those of the last start', () => {
    assert.deepEqual(values([...start('r', 'e'), 'epoch 1', ...start('R', 'E')]), ['RSA R', 'ED25519 E']);
    assert.deepEqual(values([...start('r', 'e'), 'Pod Started']), []);
    // The end of a log is all that a short tail shows.
    assert.deepEqual(values(start('r', 'e').slice(9)), ['ED25519 e', 'RSA r']);
    // A second list without the line that begins a start.
    assert.deepEqual(values([...start('r', 'e'), 'SSH host keys:', 'Key: /etc/ssh/ssh_host_ed25519_key.pub', line('E')]), ['ED25519 E']);
  });

  it('are not confused by what else is in the log', () => {
    const noise = [line('x'), `Key: /root/.ssh/id_ed25519.pub`, line('x'), `echo "ED25519 key fingerprint:"`, line('x')];
    assert.deepEqual(values([...noise, ...start('r', 'e'), ...noise]), ['RSA r', 'ED25519 e']);
    assert.deepEqual(values(noise), []);
    // Lines of other programs between a marker and its fingerprint, but not any number of them.
    assert.deepEqual(values(['ED25519 key fingerprint:', 'nginx: ready', '', line('e')]), ['ED25519 e']);
    assert.deepEqual(values(['ED25519 key fingerprint:', 'a', 'b', 'c', 'd', 'e', line('e')]), []);
    // The type announced is the type that counts.
    assert.deepEqual(values(['RSA key fingerprint:', line('e')]), []);
    for (const bad of [
      `256 ${sha('e')}x root@h (ED25519)`,
      `256 SHA256:short root@h (ED25519)`,
      `256 MD5:00:11 root@h (ED25519)`,
      `${line('e')} trailing`,
      `prefix ${line('e')}`,
    ])
      assert.deepEqual(values(['ED25519 key fingerprint:', bad]), [], bad);
    assert.deepEqual(values(['Key: /etc/ssh/ssh_host_ed25519_key.pub', line('e')]), [], 'a key line outside the list');
  });

  it('survive colours, carriage returns and empty logs', () => {
    assert.deepEqual(values(['\x1b[32mED25519 key fingerprint:\x1b[0m\r', `${line('e')}\r`]), ['ED25519 e']);
    assert.deepEqual(values([]), []);
    assert.deepEqual(values(['SSH host keys:', 'SSH host keys:']), []);
  });

  it('of a real start script’s commands match the keys it made', async () => {
    const scratch = new Scratch();
    try {
      const pair = await makeKeyPair(path.join(await scratch.dir(), 'ssh_host_ed25519_key'));
      const { stdout } = await run('ssh-keygen', ['-lf', `${pair.path}.pub`]);
      assert.deepEqual(parseFingerprints(`Pod Started\nED25519 key fingerprint:\n${stdout}`.split('\n'))[0]?.fingerprint, pair.fingerprint);
    } finally {
      await scratch.clear();
    }
  });
});
