import { messageOf } from '../../src/base/errors';
import { CannotRun, type Client, type Place } from './client';
import { Ground } from './ground';
import type { FarPort } from './linkProcess';
import { type Operation, operations } from './operations';
import { Ours } from './ours';
import { Rsync } from './rsync';
import { Sftp } from './sftp';
import { Sshfs } from './sshfs';
import { median } from './stopwatch';

export interface FilesPlan {
  readonly rtts: readonly number[];
  readonly listings: readonly number[];
  readonly tree: number;
  readonly bigBytes: number;
  readonly rounds: number;
  readonly heavyRounds: number;
  readonly peers: readonly ('sftp' | 'sshfs' | 'rsync')[];
  /** Which operations; all of them without it. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
}

/** One operation over one link. */
export interface FileFigure {
  readonly rttMs: number;
  readonly operation: string;
  readonly title: string;
  /** Bytes that crossed the link, for what is a question of bandwidth. */
  readonly bytes?: number;
  /** By client: milliseconds of each round. Who is missing cannot do it. */
  readonly ms: Readonly<Record<string, readonly number[]>>;
  /** By peer: how many times as long as ours it took, round by round beside each other, the median of it. */
  readonly ratio: Readonly<Record<string, number>>;
}

/** Measures the files' operations beside the peers', one round of all clients after the other. */
export async function measureFiles(plan: FilesPlan): Promise<FileFigure[]> {
  const ground = await Ground.make(plan.bigBytes);
  const figures: FileFigure[] = [];
  try {
    for (const rttMs of plan.rtts) {
      const { clients, links } = await startClients(ground, rttMs, plan);
      try {
        for (const operation of operations(plan).filter(({ id }) => plan.only?.includes(id) ?? true)) figures.push(await measure(operation, clients, ground, rttMs, plan));
      } finally {
        for (const client of clients) await client.end();
        for (const link of links) await link.close();
      }
    }
  } finally {
    await ground.clear();
  }
  return figures;
}

async function startClients(ground: Ground, rttMs: number, plan: FilesPlan): Promise<{ clients: Client[]; links: FarPort[] }> {
  const makers: Record<string, (place: Place) => Promise<Client>> = { sftp: (place) => Sftp.start(place), sshfs: (place) => Sshfs.start(place), rsync: (place) => Rsync.start(place) };
  const clients: Client[] = [];
  const links: FarPort[] = [];
  for (const name of ['ours', ...plan.peers]) {
    const { place, link } = await ground.reach(rttMs, name);
    if (link !== undefined) links.push(link);
    try {
      clients.push(await (makers[name] ?? ((p) => Ours.start(p, ground.sshd.hostKeyFingerprint)))(place));
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      plan.say(`${name} is left out: ${error.message}`);
    }
  }
  return { clients, links };
}

async function measure(operation: Operation, clients: readonly Client[], ground: Ground, rttMs: number, plan: FilesPlan): Promise<FileFigure> {
  const ms: Record<string, number[]> = {};
  // The first round warms everybody up and does not count; what is heavy does that by itself.
  const rounds = operation.heavy === true ? plan.heavyRounds : plan.rounds;
  for (let round = operation.heavy === true ? 0 : -1; round < rounds; round++)
    for (const client of clients) {
      try {
        const took = await operation.measure(client, ground, `${client.name}-${rttMs}-${round}`);
        if (took !== undefined && round >= 0) (ms[client.name] ??= []).push(took);
      } catch (error) {
        if (client.name === 'ours') throw error;
        plan.say(`${client.name} cannot ${operation.title}: ${messageOf(error)}`);
      }
    }
  const { ours = [], ...peers } = ms;
  const ratio = Object.fromEntries(Object.entries(peers).map(([name, theirs]) => [name, median(theirs.map((t, i) => t / (ours[i] ?? NaN)))]));
  const cells = Object.entries(ms).map(([name, all]) => `${name} ${median(all).toFixed(0)} ms`);
  plan.say(`${rttMs} ms round trip, ${operation.title}: ${cells.join(', ')}`);
  return { rttMs, operation: operation.id, title: operation.title, ms, ratio, ...(operation.heavy === true ? { bytes: plan.bigBytes } : {}) };
}
