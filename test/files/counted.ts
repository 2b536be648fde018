import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { startPod, type TestPod } from './pod';

/** Well above what the server thinks about anything here, so that answers never overtake pipelined requests. */
const rttMs = 120;

/** An operation and the round trips, one after the other, that it may take on a warm connection. */
export interface Counted {
  readonly title: string;
  readonly limit: number;
  /** What must be there before, made without the link. */
  prepare(pod: TestPod): Promise<void>;
  work(pod: TestPod): Promise<void>;
  /** What must have come of it. */
  check?(pod: TestPod): Promise<void>;
}

const replace = { create: true, overwrite: true };
const small = 4096;
const many = 1_000;

const file =
  (name: string, bytes = small) =>
  (pod: TestPod): Promise<void> =>
    writeFile(pod.at(name), Buffer.alloc(bytes, 'x'));

async function opened(pod: TestPod, name: string, bytes = small): Promise<void> {
  assert.equal((await pod.files.readFile(pod.at(name))).length, bytes);
}

async function saved(pod: TestPod, name: string, content: string): Promise<void> {
  await pod.files.writeFile(pod.at(name), Buffer.from(content), replace);
}

const holds =
  (name: string, content: string) =>
  async (pod: TestPod): Promise<void> =>
    assert.equal(await readFile(pod.at(name), 'utf8'), content);

async function manyFiles(pod: TestPod, folder: string): Promise<void> {
  await mkdir(pod.at(folder));
  for (let i = 0; i < many; i++) await writeFile(pod.at(`${folder}/${i}.txt`), String(i));
}

export const counted: readonly Counted[] = [
  { title: 'open a file of 4 KB', limit: 2, prepare: file('train.py'), work: (pod) => opened(pod, 'train.py') },
  {
    title: 'open a file of 4 KB, with the editor’s stat beside it',
    limit: 2,
    prepare: file('eval.py'),
    work: async (pod) => void (await Promise.all([pod.files.stat(pod.at('eval.py')), opened(pod, 'eval.py')])),
  },
  { title: 'open a file of 200 KB', limit: 2, prepare: file('log.csv', 200_000), work: (pod) => opened(pod, 'log.csv', 200_000) },
  {
    title: 'save a file',
    limit: 3,
    prepare: async (pod) => {
      await file('save.py')(pod);
      await opened(pod, 'save.py');
    },
    work: (pod) => saved(pod, 'save.py', 'new'),
    check: holds('save.py', 'new'),
  },
  {
    title: 'save a file, with the editor’s stats before and after',
    limit: 4,
    prepare: async (pod) => {
      await file('saved.py')(pod);
      await opened(pod, 'saved.py');
    },
    work: async (pod) => {
      await pod.files.stat(pod.at('saved.py'));
      await saved(pod, 'saved.py', 'newer');
      assert.equal((await pod.files.stat(pod.at('saved.py'))).size, 5);
    },
    check: holds('saved.py', 'newer'),
  },
  {
    title: 'list 1,000 entries',
    limit: 5,
    prepare: (pod) => manyFiles(pod, 'many'),
    work: async (pod) => assert.equal((await pod.files.list(pod.at('many'))).length, many),
  },
  {
    title: 'stat each of 1,000 entries just listed',
    limit: 0,
    prepare: async (pod) => {
      await manyFiles(pod, 'stats');
      await pod.files.list(pod.at('stats'));
    },
    work: async (pod) => void (await Promise.all(Array.from({ length: many }, (_, i) => pod.files.stat(pod.at(`stats/${i}.txt`))))),
  },
  {
    title: 'delete a tree of 5,000 files',
    limit: 4,
    prepare: async (pod) => {
      for (let d = 0; d < 50; d++) {
        await mkdir(pod.at(`tree/${d}`), { recursive: true });
        for (let i = 0; i < 100; i++) await writeFile(pod.at(`tree/${d}/${i}`), '');
      }
    },
    work: (pod) => pod.files.delete(pod.at('tree'), { recursive: true }),
    check: (pod) => assert.rejects(readFile(pod.at('tree/1/1'))),
  },
  { title: 'delete a file', limit: 1, prepare: file('gone'), work: (pod) => pod.files.delete(pod.at('gone'), { recursive: true }) },
  { title: 'rename a file', limit: 1, prepare: file('a'), work: (pod) => pod.files.rename(pod.at('a'), pod.at('b'), { overwrite: false }) },
  {
    title: 'rename a file over another',
    limit: 1,
    prepare: async (pod) => {
      await file('c')(pod);
      await file('d')(pod);
    },
    work: (pod) => pod.files.rename(pod.at('c'), pod.at('d'), { overwrite: true }),
  },
  {
    title: 'copy a file of 5 MB, not a byte of it over the link',
    limit: 4,
    prepare: file('weights.bin', 5_000_000),
    work: async (pod) => {
      const { bytesUp, bytesDown } = pod.link.counts;
      await pod.files.copy(pod.at('weights.bin'), pod.at('copy.bin'), { overwrite: false });
      assert.ok(pod.link.counts.bytesUp - bytesUp + pod.link.counts.bytesDown - bytesDown < 20_000);
    },
    check: async (pod) => assert.ok((await readFile(pod.at('copy.bin'))).equals(await readFile(pod.at('weights.bin')))),
  },
];

/** A pod behind a link that counts, with a connection that has been used. */
export async function startCounting(): Promise<TestPod> {
  const pod = await startPod();
  await writeFile(pod.at('warm'), 'warm');
  pod.link.shape({ rttMs });
  await pod.files.readFile(pod.at('warm'));
  return pod;
}

/** The round trips, one after the other, that `operation` takes. */
export async function roundTrips(pod: TestPod, operation: Counted): Promise<number> {
  await operation.prepare(pod);
  // What went before and was not waited for is still on its way.
  await new Promise((resolve) => setTimeout(resolve, 3 * rttMs));
  const before = pod.link.counts.flightsUp;
  await operation.work(pod);
  const used = pod.link.counts.flightsUp - before;
  await operation.check?.(pod);
  return used;
}
