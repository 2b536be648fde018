import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { inspect } from 'node:util';
import { isFileError } from '../../src/files/errors';
import type { RawSftp } from '../../src/files/host';
import { PodFiles } from '../../src/files/pod/podFiles';
import { type Pass, PipeHost } from './pipeHost';

type Way = 'up' | 'down';
const faults = ['cut before', 'cut after', 'truncated', 'dropped', 'delayed'] as const;
type Fault = (typeof faults)[number];

/** Longer than a server takes to start on a busy machine. */
const silenceMs = 3_000;
const delayMs = 40;
/** Saves at once, each with a server of its own: most of their time they wait. */
const atOnce = 10;

/** OpenSSH's SFTP server, with one fault at one message; then the link is there again, or stays away until it is let back. */
class FaultyHost extends PipeHost {
  seen = { up: 0, down: 0 };
  #strike: { readonly way: Way; readonly at: number; readonly fault: Fault; readonly staysAway: boolean } | undefined;
  #away = false;
  /** The link is about to be cut and carries nothing any more. */
  #dead = false;
  #held: Record<Way, (() => void)[] | undefined> = { up: undefined, down: undefined };
  readonly #channels = new Set<RawSftp>();

  constructor() {
    super({ up: (packet, pass) => this.#goes('up', packet, pass), down: (packet, pass) => this.#goes('down', packet, pass) });
  }

  /** Counts messages from here on, and lets the fault befall one of them. */
  strike(way: Way, at: number, fault: Fault, staysAway: boolean): void {
    this.seen = { up: 0, down: 0 };
    this.#strike = { way, at, fault, staysAway };
  }

  letBack(): void {
    this.#strike = undefined;
    this.#away = false;
  }

  override async sftp(): Promise<RawSftp> {
    if (this.#away) throw new Error('connect ECONNREFUSED');
    const channel = await super.sftp();
    this.#channels.add(channel);
    channel.once('close', () => this.#channels.delete(channel));
    return channel;
  }

  #cut(): void {
    for (const channel of this.#channels) channel.destroy();
  }

  #goes(way: Way, packet: Buffer, pass: Pass): Buffer | undefined {
    if (this.#dead) return undefined;
    const held = this.#held[way];
    if (held !== undefined) {
      held.push(() => pass(packet));
      return undefined;
    }
    const strike = this.#strike;
    if (strike?.way !== way || strike.at !== this.seen[way]++) return packet;
    this.#strike = undefined;
    this.#away = strike.staysAway && strike.fault !== 'delayed';
    if (strike.fault === 'delayed') {
      const waiting: (() => void)[] = [() => pass(packet)];
      this.#held[way] = waiting;
      setTimeout(() => {
        this.#held[way] = undefined;
        for (const send of waiting) send();
      }, delayMs);
    } else if (strike.fault === 'cut before') this.#cut();
    else if (strike.fault !== 'dropped') {
      pass(packet, strike.fault === 'truncated' ? packet.length >> 1 : packet.length);
      this.#dead = true;
      // The server gets its time to act on what it has.
      setTimeout(() => {
        this.#dead = false;
        this.#cut();
      }, 10);
    }
    return undefined;
  }
}

describe('a save with a fault at each of its messages', function () {
  this.timeout(600_000);
  const versions = (n: number): Buffer => Buffer.alloc(600_000 + n, `version ${n} `);

  /** One save on a session that is open, struck once. @returns whether it came to the fault */
  async function struck(way: Way, at: number, fault: Fault, staysAway: boolean): Promise<boolean> {
    const what = `${fault} at message ${at} ${way}${staysAway ? ', the link stays away' : ''}`;
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-files-'));
    const file = `${dir}/train.py`;
    const host = new FaultyHost();
    const files = new PodFiles(host, { silenceMs, openMs: 30_000 });
    try {
      const old = versions(0);
      const next = versions(1);
      await fs.writeFile(file, old, { mode: 0o750 });
      await files.stat(file);
      host.strike(way, at, fault, staysAway);
      const failed = await files.writeFile(file, next, { create: true, overwrite: true }).then(
        () => undefined,
        (error: unknown) => error,
      );
      const reached = host.seen[way] > at;
      const now = await fs.readFile(file);
      if (failed === undefined) assert.ok(now.equals(next), `${what}: acknowledged, and not there`);
      else {
        assert.ok(isFileError(failed, 'unavailable', 'failure'), `${what}: ${inspect(failed)}`);
        assert.ok(now.equals(old) || now.equals(next), `${what}: ${now.length} bytes, neither the old nor the new`);
        assert.ok(staysAway, `${what}: refused, though the link was there again: ${inspect(failed)}`);
      }
      assert.equal((await fs.stat(file)).mode & 0o777, 0o750, what);
      host.letBack();
      // With the connection back, somebody looks at the folder, and nothing of the save is left in it soon.
      await files.list(dir);
      const temporary = async (): Promise<string[]> => (await fs.readdir(dir)).filter((name) => name !== 'train.py');
      for (const until = Date.now() + 60_000; (await temporary()).length > 0 && Date.now() < until; ) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(await temporary(), [], what);
      return reached;
    } finally {
      files.dispose();
      host.end();
      await fs.rm(dir, { recursive: true, force: true });
    }
  }

  /** So many messages of each way has a save of that size; one more is met only when it is sent again. */
  async function messagesOf(way: Way): Promise<number> {
    for (let at = 0; ; at++) if (!(await struck(way, at, 'delayed', false))) return at;
  }

  for (const way of ['up', 'down'] as const)
    describe(way === 'up' ? 'to the pod' : 'from the pod', () => {
      let messages: number;
      before(async () => {
        messages = await messagesOf(way);
        assert.ok(messages >= 8, `a save of ${messages} messages`);
      });

      for (const fault of faults)
        it(`${fault}: whole, not half, and nothing left behind`, async () => {
          const cases = Array.from({ length: messages }, (_, at) => at).flatMap((at) => (fault === 'delayed' ? [[at, false] as const] : [[at, false] as const, [at, true] as const]));
          await Promise.all(
            Array.from({ length: atOnce }, async () => {
              for (let one = cases.shift(); one !== undefined; one = cases.shift()) await struck(way, one[0], fault, one[1]);
            }),
          );
        });
    });
});
