import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { PrintedFingerprints, type PrintedFingerprint } from '../../src/ssh/printedFingerprints';
import { makeKeyPair } from '../support/sshd';
import { Scratch } from './support';

const run = promisify(execFile);
const sha = (letter: string): string => `SHA256:${letter.repeat(43)}`;
const line = (letter: string, type = 'ED25519', bits = 256): string => `${bits} ${sha(letter)} root@f1e2d3 (${type})`;
/** A line of the platform's is written with a dot before it here. */
function read(lines: readonly string[]): PrintedFingerprint[] {
  const printed = new PrintedFingerprints();
  for (const text of lines) printed.feed(text.startsWith('· ') ? 'system' : 'container', text.replace(/^· /, ''));
  return printed.found;
}
const values = (lines: readonly string[]): string[] => read(lines).map((found) => `${found.type} ${found.fingerprint[7] ?? ''}`);
const list = (letter: string): string[] => ['SSH host keys:', 'Key: /etc/ssh/ssh_host_ed25519_key.pub', line(letter)];
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

describe('fingerprints in a container log', () => {
  it('are found as the official start script prints them', () => {
    assert.deepEqual(read(start('r', 'e')), [
      { type: 'RSA', bits: 3072, fingerprint: sha('r') },
      { type: 'ED25519', bits: 256, fingerprint: sha('e') },
    ]);
    // The end of it, which is all that a short tail shows.
    assert.deepEqual(values(start('r', 'e').slice(9)), ['ED25519 e', 'RSA r']);
  });

  it('are those of the last container that the platform began', () => {
    assert.deepEqual(values([...start('r', 'e'), 'epoch 1', '· start container runpod/base:1.0.2: begin', ...start('R', 'E')]), ['RSA R', 'ED25519 E']);
    for (const words of ['restart container', 'create container runpod/base', 'Container started']) assert.deepEqual(values([...start('r', 'e'), `· ${words}`]), [], words);
    for (const words of ['stop container runpod/base', 'remove container', '3f2a Pull complete']) assert.deepEqual(values([...start('r', 'e'), `· ${words}`]), ['RSA r', 'ED25519 e'], words);
  });

  it('are told apart by their times where the platform’s lines come late, or before what is older than they', () => {
    const at = (second: number): Date => new Date(Date.UTC(2026, 9, 5, 12, 0, second));
    const printed = new PrintedFingerprints();
    for (const text of start('r', 'e')) printed.feed('container', text, at(10));
    printed.feed('system', 'start container for runpod/base:1: begin', at(8));
    assert.equal(printed.found.length, 2, 'it began before it spoke');
    printed.feed('system', 'start container for runpod/base:1: begin', at(40));
    assert.deepEqual(printed.found, []);
    for (const text of start('x', 'x')) printed.feed('container', text, at(39));
    assert.deepEqual(printed.found, [], 'the last words of the container before');
    for (const text of start('R', 'E')) printed.feed('container', text, at(41));
    assert.deepEqual(printed.found.map(({ fingerprint }) => fingerprint), [sha('R'), sha('E')]);
  });

  it('are those of the container that the API says began last, once it has printed them', () => {
    const at = (second: number): Date => new Date(Date.UTC(2026, 9, 5, 12, 0, second));
    const printed = new PrintedFingerprints([{ at: at(30), listsWithinMs: 10_000 }, { at: at(5) }]);
    for (const text of start('x', 'x')) printed.feed('container', text, at(1));
    for (const text of start('r', 'e')) printed.feed('container', text, at(5));
    assert.deepEqual(printed.found.map(({ fingerprint }) => fingerprint), [sha('r'), sha('e')]);
    for (const text of start('y', 'y')) printed.feed('container', text, at(29));
    assert.deepEqual(printed.found.map(({ fingerprint }) => fingerprint), [sha('r'), sha('e')], 'before that');
    printed.feed('container', 'Pod Started', at(31));
    assert.deepEqual(printed.found.map(({ fingerprint }) => fingerprint), [sha('r'), sha('e')], 'until it has told its own');
    const late = new PrintedFingerprints([{ at: at(30), listsWithinMs: 10_000 }]);
    for (const text of ['Pod Started', ...start('z', 'z')]) late.feed('container', text, at(41));
    assert.deepEqual(late.found, [], 'too late to be its own');
    for (const text of [...start('R', 'E'), ...start('z', 'z')]) printed.feed('container', text, at(31));
    assert.deepEqual(printed.found.map(({ fingerprint }) => fingerprint), [sha('R'), sha('E')]);
  });

  it('cannot be replaced, nor added to, by what the container prints afterwards', () => {
    const imitations = [
      list('x'),
      start('x', 'x'),
      ['Pod Started', ...list('x')],
      ['ED25519 key fingerprint:', line('x')],
      ['ECDSA key fingerprint:', line('x', 'ECDSA')],
      ['Key: /etc/ssh/ssh_host_ecdsa_key.pub', line('x', 'ECDSA')],
      ['start container runpod/base: begin', ...list('x')],
    ];
    for (const imitation of imitations) {
      assert.deepEqual(values([...start('r', 'e'), ...imitation]), ['RSA r', 'ED25519 e'], imitation.join('|'));
      // Also where the script's last words are missing: the listing is over when other things are said.
      assert.deepEqual(values([...start('r', 'e').slice(0, -1), 'a', 'b', 'c', 'd', 'e', ...imitation]), ['RSA r', 'ED25519 e'], imitation.join('|'));
    }
    assert.deepEqual(values([...list('e'), 'Key: /etc/ssh/ssh_host_ed25519_key.pub', line('x')]), ['ED25519 e'], 'a second key of one type');
  });

  it('are none where a listing comes late in the life of a container that printed none', () => {
    const talk = Array.from({ length: 2001 }, (_, i) => `step ${i}`);
    assert.deepEqual(values([...talk, ...list('x')]), []);
    assert.deepEqual(values(['Start script(s) finished, Pod is ready to use.', ...list('x')]), []);
    assert.deepEqual(values([...talk, '· start container', ...list('e')]), ['ED25519 e']);
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
      assert.deepEqual(read(`Pod Started\nED25519 key fingerprint:\n${stdout}`.split('\n'))[0]?.fingerprint, pair.fingerprint);
    } finally {
      await scratch.clear();
    }
  });
});
