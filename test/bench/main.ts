// Measures the extension beside OpenSSH's sftp, sshfs and rsync: `npm run bench`, or quickly: `npm run bench -- --quick`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors';
import { measureActivation } from './activation';
import { measureFiles } from './files';
import { measureMemory } from './memory';
import { measurePods } from './pods';
import { putInto } from './readme';
import { measureSearch } from './search';
import { measureSync } from './sync';
import { measureTrips } from './trips';
import { measureWindow } from './window';
import { type Figures, isKept, machine, pledges, table } from './report';

const usage = `npm run bench -- [options]
  --quick            small files, few rounds: two minutes
  --rtt 0,50         round trips in ms
  --peers sftp,…     of sftp, sshfs, rsync
  --only read,write  of open, save, list-1000, list-10000, stats, delete, copy, rename, read, write, sync; only these
  --mb 300           the big file's size
  --rounds 3         of the big file; the small operations get two more
  --json out/bench.json
  --readme README.md puts the table there, too
  --from out/bench.json   measures nothing: the figures are in that file`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rtt: { type: 'string', default: '0,50' },
      peers: { type: 'string', default: 'sftp,sshfs,rsync' },
      only: { type: 'string' },
      mb: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string', default: 'out/bench.json' },
      readme: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const show = (figures: Figures): void => {
    console.log(`\n${table(figures)}`);
    if (pledges(figures).some((pledge) => !isKept(pledge))) console.log('\nNot everything was within its limit (✗). On a machine with other work, repeat it.');
    if (values.readme !== undefined) putInto(values.readme, figures);
  };
  // Written by this same program.
  if (values.from !== undefined) return show(JSON.parse(readFileSync(values.from, 'utf8')) as Figures);
  const { quick } = values;
  const rounds = Number(values.rounds ?? (quick ? 1 : 3));
  const bigBytes = Number(values.mb ?? (quick ? 60 : 300)) * 1_000_000;
  const load = loadavg()[0] ?? 0;
  // Modules of another kind than this one is run as.
  const [{ setUp }, { installSystemPackages }] = await Promise.all([import('../setup/setup.mjs'), import('../setup/system.mjs')]);
  const say = (line: string): void => console.log(`· ${line}`);
  await setUp({ simulator: true, server: true, browser: true });
  // Peers that cannot be had are left out.
  await installSystemPackages(['bench']).catch((error: unknown) => say(messageOf(error)));
  const files = await measureFiles({
    rtts: values.rtt.split(',').map(Number),
    listings: [1_000, 10_000],
    tree: 5_000,
    bigBytes,
    rounds: rounds + 2,
    heavyRounds: rounds,
    peers: (['sftp', 'sshfs', 'rsync'] as const).filter((peer) => values.peers.split(',').includes(peer)),
    ...(values.only === undefined ? {} : { only: values.only.split(',') }),
    say,
  });
  const rest = values.only === undefined ? { activation: await measureActivation(quick ? 5 : 15), pods: await measurePods(1_000, 10), window: await measureWindow(1_000, 10), memory: await measureMemory(bigBytes), search: await measureSearch(quick ? 1 : 5), trips: await measureTrips() } : {};
  const sync =
    values.only === undefined || values.only.split(',').includes('sync')
      ? await measureSync({ rttMs: 50, rounds: quick ? 1 : 5, files: 5_000, bytes: 25_000_000, largeBytes: quick ? 0 : 1_000_000_000, largeRounds: rounds, say })
      : undefined;
  const figures: Figures = { at: new Date().toISOString(), machine: machine(load), files, ...(sync === undefined ? {} : { sync }), ...rest };
  const path = resolve(values.json);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(figures, undefined, 2)}\n`);
  show(figures);
  console.log(`\nAll of it: ${values.json}`);
}

void main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
