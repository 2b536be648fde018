import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { isCancelled } from '../../src/base/errors';
import { PodFiles } from '../../src/files/pod/podFiles';
import { SshConnection } from '../../src/ssh/connection';
import { extraThere, planPull, settle, type ConflictChoice } from '../../src/sync/decide';
import { bringBySftp, sendBySftp } from '../../src/sync/bySftp';
import { bringLarge, sendLarge } from '../../src/sync/large';
import { Ledger } from '../../src/sync/ledger';
import { namesOf } from '../../src/sync/localNames';
import { compare, planUpload, type Comparison, type PlannedFile } from '../../src/sync/plan';
import { pull } from '../../src/sync/pull';
import type { PulledFile } from '../../src/sync/pullOrder';
import { upload } from '../../src/sync/upload';
import { TestHost } from '../files/pod';
import { openRelay, type LinkPort } from '../simulator/link';
import type { LinkShape } from '../simulator/machine';
import { identityOf, loginOptions } from '../ssh/support';
import { makeKeyPair, startSshd, type Sshd } from '../support/sshd';
import { until } from '../support/until';
import { Model, type Outcome, type Side, type Version } from './cutModel';
import { diskTree } from './diskTree';

/** Files from here on go in pieces, over SFTP. */
const PIECES = 60_000;

export interface Edit {
  readonly side: 'here' | 'there';
  readonly name: string;
  /** What it is filled with, up to so many bytes; `undefined` deletes. */
  readonly content: { readonly fill: string; readonly size: number } | undefined;
}

export interface Step {
  readonly edits: readonly Edit[];
  readonly work: 'push' | 'mirror' | 'pull';
  readonly conflicts: ConflictChoice;
  /** The link is cut after this part of what such a work usually moves, in thousandths; beyond 1,000 it usually is not. */
  readonly cut: { readonly way: 'up' | 'down'; readonly after: number } | undefined;
  readonly bySftp: boolean;
}

const names = ['a', 'b', `it's`, 'd/x', 'd/y\n', 'e/f/g', 'big', 'd/big'];
const content = (name: string): fc.Arbitrary<NonNullable<Edit['content']>> => fc.record({ fill: fc.string({ minLength: 1, maxLength: 12, unit: 'binary-ascii' }), size: name.endsWith('big') ? fc.integer({ min: 50_000, max: 400_000 }) : fc.integer({ min: 0, max: 14 }) });
const edit: fc.Arbitrary<Edit> = fc.constantFrom(...names).chain((name) => fc.record({ side: fc.constantFrom('here' as const, 'there' as const), name: fc.constant(name), content: fc.option(content(name), { nil: undefined, freq: 4 }) }));

/** What two people, and a link that fails, may do to a folder and its place on a pod. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    edits: fc.array(edit, { maxLength: 6 }),
    work: fc.constantFrom('push' as const, 'push' as const, 'pull' as const, 'pull' as const, 'mirror' as const),
    conflicts: fc.constantFrom<ConflictChoice>('overwrite', 'keep', 'both'),
    cut: fc.option(fc.record({ way: fc.constantFrom('up' as const, 'down' as const), after: fc.integer({ min: 0, max: 1_300 }) }), { nil: undefined, freq: 5 }),
    bySftp: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  }),
  { minLength: 2, maxLength: 6 },
);

/** A folder here and one on a pod, over a real sshd and a link that can be cut, beside a model of what must come of it. */
export class CutRig {
  #count = 0;
  #clock = 1_600_000_000;
  #ssh: SshConnection | undefined;
  cuts = 0;
  unhurt = 0;
  /** Pushes that put files in place and did not live to learn it. */
  unknown = 0;

  private constructor(
    readonly home: string,
    readonly sshd: Sshd,
    readonly link: LinkPort,
    readonly host: TestHost,
    readonly files: PodFiles,
    readonly keyFile: string,
  ) {}

  static async start(): Promise<CutRig> {
    const home = await mkdtemp(path.join(os.tmpdir(), 'sync-cuts-'));
    const key = await makeKeyPair(path.join(home, 'key'));
    const sshd = await startSshd({ authorizedKeys: [key.publicKey] });
    const link = await openRelay(sshd);
    const host = new TestHost(link, sshd.username, key);
    return new CutRig(home, sshd, link, host, new PodFiles(host, { silenceMs: 5_000, openMs: 5_000 }), key.path);
  }

  async stop(): Promise<void> {
    this.#ssh?.end();
    this.files.dispose();
    await this.host.end();
    await this.link.close();
    await this.sshd.stop();
    await rm(this.home, { recursive: true, force: true });
  }

  async #connected(): Promise<SshConnection> {
    if (this.#ssh !== undefined && this.#ssh.closedBy === undefined) return this.#ssh;
    return (this.#ssh = await SshConnection.connect(loginOptions({ ...this.sshd, host: this.link.host }, this.link.port, [await identityOf(this.keyFile)])));
  }

  /** Goes through the steps. Fails where a file is not whole, is lost, or is another than the model says. */
  async run(all: readonly Step[]): Promise<void> {
    const root = path.join(this.home, String(this.#count++));
    const [local, target, ours] = [path.join(root, 'here'), path.join(root, 'there'), path.join(root, 'ours')];
    for (const folder of [local, ours]) await mkdir(folder, { recursive: true });
    const model = new Model();
    const ledger = new Ledger();
    let asides = 0;
    for (const step of [...all, { ...LAST, work: 'push' as const }, { ...LAST, work: 'pull' as const }]) {
      for (const one of step.edits) await this.#edit(one, one.side === 'here' ? local : target, one.side === 'here' ? model.here : model.there);
      const stamp = ++asides;
      await this.#step(step, { local, target, ours, model, ledger, aside: (file) => `${file} (${stamp})`, recycle: path.join(ours, 'recycled', String(stamp)) });
    }
    // What a cut has left behind goes with the next connection.
    await this.files.stat(root);
    await until(async () => (await rubbish(target)).length === 0, () => rubbish(target));
    assert.deepEqual(await rubbish(local), []);
  }

  async #edit({ name, content }: Edit, root: string, side: Map<string, Version>): Promise<void> {
    const file = path.join(root, name);
    if (content === undefined) {
      await rm(file, { force: true });
      side.delete(name);
      return;
    }
    const when = ++this.#clock;
    await mkdir(path.dirname(file), { recursive: true });
    const text = content.fill.repeat(Math.ceil(content.size / content.fill.length)).slice(0, content.size);
    await writeFile(file, text);
    await utimes(file, when, when);
    side.set(name, { text, edit: when });
  }

  async #step(step: Step, at: { local: string; target: string; ours: string; model: Model; ledger: Ledger; aside: (file: string) => string; recycle: string }): Promise<void> {
    const { local, target, model, ledger, aside, recycle, ours } = at;
    const { conflicts, work } = step;
    const ssh = await this.#connected();
    const tree = diskTree(local);
    if (step.bySftp) await this.files.stat('/');
    if (work === 'pull') {
      const found = await compare(ssh, tree, target, ledger, step.bySftp ? { sftp: this.files } : {});
      model.looked();
      const { order } = planPull(found, { conflicts, names: namesOf('linux'), restore: false, nameAside: aside });
      const outcome = model.pull(conflicts, aside);
      const isLarge = ({ remote }: PulledFile): boolean => remote.size >= PIECES;
      const whole = await this.#cutting(step, sizes(outcome), async () => {
        if (step.bySftp) return void noneFailed(await bringBySftp(this.files, local, order, ledger, { names: namesOf('linux'), patienceMs: 0 }));
        await pull(ssh, local, { ...order, files: order.files.filter((file) => !isLarge(file)) }, ledger, { names: namesOf('linux') });
        noneFailed(await bringLarge(this.files, target, order.files.filter(isLarge), local, ledger, { patienceMs: 0 }));
      });
      const seen = await look(local);
      check(model.here, outcome, seen, whole);
      model.pulled(outcome, seen, aside);
      assert.deepEqual(plain(await look(target)), plain(model.there), 'a pull changes nothing on the pod');
      return;
    }
    const plan = work === 'mirror' || step.bySftp ? await compare(ssh, tree, target, ledger, step.bySftp ? { sftp: this.files } : {}) : await planUpload(ssh, tree, target, ledger);
    model.looked();
    const { outcome, recycled } = model.push(conflicts, work === 'mirror', aside);
    const extra = work === 'mirror' ? extraThere(plan as Comparison) : [];
    assert.deepEqual([...extra].sort(), [...recycled].sort());
    const before = new Map(model.there);
    const chosen = settle(plan, conflicts, aside);
    const away = extra.length === 0 ? undefined : { paths: extra, to: recycle };
    const isLarge = (file: PlannedFile): boolean => file.local.size >= PIECES && !chosen.aside.has(file);
    let smallSent = false;
    const whole = await this.#cutting(step, sizes(outcome), async () => {
      if (step.bySftp) return void noneFailed(await sendBySftp(this.files, tree, local, plan, ledger, { ...chosen, recycle: away, patienceMs: 0 }));
      const small = { ...plan, send: plan.send.filter((file) => !isLarge(file)) };
      await upload(ssh, tree, small, ledger, { staging: path.join(ours, 'staging'), overwrite: new Set([...chosen.overwrite].filter((file) => !isLarge(file))), aside: chosen.aside, recycle: away });
      smallSent = true;
      noneFailed(await sendLarge(this.files, target, [...plan.send, ...chosen.overwrite].filter(isLarge), local, ledger, { patienceMs: 0 }));
    });
    // On the pod it may still be going on.
    const staging = path.join(ours, 'staging');
    await until(async () => (await readdir(staging).catch(() => [])).length === 0, () => readdir(staging));
    const seen = await look(target);
    check(model.there, outcome, seen, whole);
    const kept = await look(recycle);
    for (const file of recycled) assert.equal((seen.get(file) ?? kept.get(file))?.edit, before.get(file)?.edit, `${file} is neither there nor in the recycle folder`);
    for (const [file, theirs] of before)
      if (outcome.get(aside(file))?.edit === theirs.edit) assert.ok(seen.get(file)?.edit === theirs.edit || seen.get(aside(file))?.edit === theirs.edit, `${file} as the pod had it is lost`);
    if (!whole && !smallSent && plan.send.some(({ path: file, local: { mtimeMs } }) => seen.get(file)?.edit === Math.floor(mtimeMs / 1000))) this.unknown++;
    const inPieces = new Set([...plan.send, ...chosen.overwrite].filter(isLarge).map((file) => file.path));
    model.pushed(outcome, seen, (file) => whole || (smallSent && !inPieces.has(file)));
    assert.deepEqual(plain(await look(local)), plain(model.here), 'a push changes nothing here');
  }

  /** @returns whether the work ended well */
  async #cutting({ cut, work: kind, bySftp }: Step, moved: number, work: () => Promise<void>): Promise<boolean> {
    if (cut === undefined) {
      await work();
      return true;
    }
    // Against the stream there are only answers, and the last of them are what matters.
    const along = (kind === 'pull') === (cut.way === 'down');
    const after = 1 + Math.round(((along ? moved + 6_000 : bySftp ? 6_000 : kind === 'pull' ? 900 : 330) * cut.after) / 1_000);
    this.link.shape(cut.way === 'up' ? { cutAfterBytesUp: after } : { cutAfterBytesDown: after } satisfies LinkShape);
    try {
      await work();
      this.unhurt++;
      return true;
    } catch (error) {
      assert.ok(error instanceof Error && !(error instanceof assert.AssertionError) && !isCancelled(error), String(error));
      this.cuts++;
      return false;
    } finally {
      this.link.cut();
      this.link.shape({});
    }
  }
}

const LAST: Omit<Step, 'work'> = { edits: [], conflicts: 'keep', cut: undefined, bySftp: false };
const RUBBISH = /(^|\/)(\.runpod-save-|\.runpod-staging|\.[0-9a-f-]{25}\.runpod-part)/;

const sizes = (outcome: Outcome): number => [...outcome.values()].reduce((sum, version) => sum + (version?.text.length ?? 0) + 600, 0);
const noneFailed = ({ failed }: { readonly failed: readonly unknown[] }): void => assert.deepEqual(failed, []);

/** Each file is as it was, or as it is to be; and all of them as they are to be once the work has ended well. */
function check(before: Side, outcome: Outcome, seen: Side, whole: boolean): void {
  for (const file of new Set([...before.keys(), ...outcome.keys(), ...seen.keys()])) {
    const [old, next, now] = [before.get(file), outcome.has(file) ? outcome.get(file) : before.get(file), seen.get(file)];
    const is = (version: Version | undefined): boolean => now?.edit === version?.edit && now?.text === version?.text;
    assert.ok(is(next) || (!whole && is(old)), `${JSON.stringify(file)}: ${show(now)}; was ${show(old)}, to be ${show(next)}${whole ? '' : ', after a cut'}`);
  }
}

const show = (version: Version | undefined): string => (version === undefined ? 'nothing' : `${version.text.length} bytes of ${version.edit}`);
const plain = (side: Side): [string, number][] => [...side].map(([file, { edit: when }]): [string, number] => [file, when]).sort(([a], [b]) => (a < b ? -1 : 1));

/** The files below a folder, but what is not under its real name. */
async function look(root: string): Promise<Map<string, Version>> {
  const found = new Map<string, Version>();
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, full);
    if (!RUBBISH.test(name)) found.set(name, { text: (await readFile(full)).toString('latin1'), edit: Math.floor((await stat(full)).mtimeMs / 1000) });
  }
  return found;
}

const rubbish = async (root: string): Promise<string[]> => (await readdir(root, { recursive: true }).catch(() => [])).filter((name) => RUBBISH.test(name));
