import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quote } from '../../src/base/shell';
import { PodFiles } from '../../src/files/pod/podFiles';
import { SshLink } from '../../src/ssh/pool';
import { diskTree } from '../../src/sync/diskTree';
import { LARGE, sendLarge } from '../../src/sync/large';
import { Ledger } from '../../src/sync/ledger';
import { planUpload } from '../../src/sync/plan';
import { upload } from '../../src/sync/upload';
import { identityOf, loginOptions } from '../ssh/support';
import { sshOptions } from './client';
import { Ground } from './ground';
import { PodHost } from './podHost';
import { median, timed } from './stopwatch';

const run = promisify(execFile);

/** One thing that a push does, by us and by `rsync -az`: with a connection of its own, and over one that is kept. */
export interface SyncFigure {
  readonly id: 'first' | 'unchanged' | 'one' | 'large';
  readonly title: string;
  readonly ms: Readonly<Record<'ours' | 'rsync' | 'rsync kept', readonly number[]>>;
  /** Our time over rsync's with its own connection, and what it may be. */
  readonly ratio: number;
  readonly limit: number;
}

export interface SyncSizes {
  readonly rttMs: number;
  readonly rounds: number;
  readonly files: number;
  readonly bytes: number;
  readonly largeBytes: number;
  readonly largeRounds: number;
  /** Whether rsync is measured over a kept connection, too; no limit speaks of it. Default true. */
  readonly kept?: boolean;
  readonly say: (line: string) => void;
}

/** A project is pushed, pushed again, and pushed after one edit; then one large file. Both sides in memory. */
export async function measureSync(sizes: SyncSizes): Promise<SyncFigure[]> {
  const ground = await Ground.make(1 << 20);
  const { place, link } = await ground.reach(sizes.rttMs, 'sync');
  const login = loginOptions({ ...place, hostKeyFingerprint: ground.sshd.hostKeys[0]?.fingerprint ?? '' }, place.port, [await identityOf(place.keyFile)]);
  const ssh = await SshLink.open(login);
  const host = new PodHost(login);
  const mover = new PodFiles(host);
  await mover.stat('/');
  const control = join(place.scratch, 'ctl');
  await run('ssh', [...sshOptions(place), '-M', '-S', control, '-f', '-N', '-oControlPersist=600', `${place.username}@${place.host}`]);
  try {
    const project = join(ground.dir, 'project');
    await makeProject(project, sizes.files, sizes.bytes);
    const own = ['ssh', ...sshOptions(place)].map(quote).join(' ');
    const kept = `ssh -S ${quote(control)}`;
    const withKept = sizes.kept ?? true;
    const rsync = async (shell: string, folder: string, target: string): Promise<void> => void (await run('rsync', ['-az', '-e', shell, `${folder}/`, `${place.username}@${place.host}:${target}/`], { maxBuffer: 1 << 26 }));
    const ours = async (folder: string, target: string, ledger: Ledger, largeFrom = LARGE): Promise<void> => {
      const tree = diskTree(folder);
      const plan = await planUpload(ssh, tree, target, ledger);
      const isLarge = (size: number): boolean => size >= largeFrom;
      await upload(ssh, tree, { ...plan, send: plan.send.filter(({ local }) => !isLarge(local.size)) }, ledger, { staging: join(ground.far, '.staging') });
      await sendLarge(mover, target, plan.send.filter(({ local }) => isLarge(local.size)), folder, ledger);
    };
    const times: Record<SyncFigure['id'], Record<'ours' | 'rsync' | 'rsync kept', number[]>> = { first: none(), unchanged: none(), one: none(), large: none() };
    for (let round = 0; round < sizes.rounds; round++) {
      const target = (name: string): string => join(ground.far, `${name}-${round}`);
      const ledger = new Ledger();
      const all = async (id: SyncFigure['id']): Promise<void> => {
        times[id].ours.push(await timed(() => ours(project, target('ours'), ledger)));
        times[id].rsync.push(await timed(() => rsync(own, project, target('own'))));
        if (withKept) times[id]['rsync kept'].push(await timed(() => rsync(kept, project, target('kept'))));
      };
      await all('first');
      await all('unchanged');
      await fs.writeFile(join(project, 'd0', 'f0.py'), `edit ${round} ${randomBytes(2000).toString('hex')}`);
      await all('one');
      await same(project, target('ours'));
      for (const name of ['ours', 'own', 'kept']) await fs.rm(target(name), { recursive: true, force: true });
      sizes.say(`sync, round ${round + 1}: ${Object.entries(times).map(([id, by]) => `${id} ${Object.values(by).map((ms) => Math.round(ms.at(-1) ?? NaN)).join('/')}`).join(', ')} ms`);
    }
    if (sizes.largeBytes > 0) {
      const folder = join(ground.dir, 'large');
      await fs.mkdir(folder);
      await makeFile(join(folder, 'model.bin'), sizes.largeBytes);
      for (let round = 0; round < sizes.largeRounds; round++) {
        const target = join(ground.far, 'large');
        // In pieces, as what is large goes, however small it is here.
        const all = [['ours', () => ours(folder, target, new Ledger(), sizes.largeBytes)], ['rsync', () => rsync(own, folder, target)], ['rsync kept', () => rsync(kept, folder, target)]] as const;
        for (const [who, work] of all.slice(0, withKept ? 3 : 2)) {
          times.large[who].push(await timed(work));
          await fs.rm(target, { recursive: true });
        }
        sizes.say(`sync, a large file, round ${round + 1}: ${Object.values(times.large).map((ms) => Math.round(ms.at(-1) ?? NaN)).join('/')} ms`);
      }
    }
    const figure = (id: SyncFigure['id'], title: string, limit: number): SyncFigure => ({ id, title, ms: times[id], ratio: median(times[id].ours) / median(times[id].rsync), limit });
    const size = `${sizes.files.toLocaleString('en')} files, ${Math.round(sizes.bytes / 1e6)} MB`;
    return [
      figure('first', `first push of ${size}`, 1),
      figure('unchanged', `push of ${size}, nothing changed`, 0.3),
      figure('one', `push of ${size}, one file changed`, 0.4),
      ...(sizes.largeBytes > 0 ? [figure('large', `push of one file of ${Math.round(sizes.largeBytes / 1e6)} MB`, 1.1)] : []),
    ];
  } finally {
    await run('ssh', ['-S', control, '-O', 'exit', 'pod']).catch(() => undefined);
    ssh.end();
    mover.dispose();
    await host.end();
    await link?.close();
    await ground.clear();
  }
}

/** The figures as Markdown. */
export function syncTable(figures: readonly SyncFigure[]): string {
  const time = (ms: readonly number[]): string => (ms.length === 0 ? '–' : `${Math.round(median(ms))} ms`);
  const rows = figures.map(({ title, ms, ratio, limit }) => `| ${title} | ${time(ms.ours)} | ${time(ms.rsync)} | ${time(ms['rsync kept'])} | ${ratio.toFixed(2)}${ratio <= limit ? '' : ' ✗'} | ≤ ${limit} |`);
  return ['| | ours | `rsync -az` | rsync, kept connection | ours ÷ rsync | wanted |', '|:--|--:|--:|--:|--:|--:|', ...rows].join('\n');
}

const none = (): Record<'ours' | 'rsync' | 'rsync kept', number[]> => ({ ours: [], rsync: [], 'rsync kept': [] });

/** Text as programs are, so that compressing it pays as it does with programs. */
async function makeProject(root: string, files: number, bytes: number): Promise<void> {
  const each = Math.round(bytes / files);
  for (let i = 0; i < files; i++) {
    const folder = join(root, `d${i % 100}`);
    if (i < 100) await fs.mkdir(folder, { recursive: true });
    const line = `value_${i} = compute(${randomBytes(8).toString('hex')})\n`;
    await fs.writeFile(join(folder, `f${i}.py`), line.repeat(Math.ceil(each / line.length)).slice(0, each));
  }
}

async function makeFile(path: string, bytes: number): Promise<void> {
  const file = await fs.open(path, 'w');
  for (let left = bytes; left > 0; left -= 1 << 20) await file.write(randomBytes(Math.min(left, 1 << 20)));
  await file.close();
}

async function same(a: string, b: string): Promise<void> {
  await run('diff', ['-r', a, b]);
}

