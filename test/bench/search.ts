import './asShipped';
import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { listFiles } from '../../src/files/find/listFiles';
import { PathIndex } from '../../src/files/find/pathIndex';
import { readWordsFrom } from '../../src/files/ignore/ignoreFiles';
import { searchFolder } from '../../src/files/search/search';
import { startPod } from '../files/pod';
import { bigTreeFiles, makeBigTree } from '../files/search/bigTree';
import { toolFolder } from '../files/search/tools';
import { median } from './stopwatch';

export interface SearchFigures {
  readonly files: number;
  /** From the question to the first results, over a round trip of 50 ms, with grep alone on the pod. */
  readonly firstResultsMs: number;
  /** To all paths of the tree. */
  readonly listMs: number;
  /** Processor time from a keystroke to the paths it shows; the slowest of several. */
  readonly keystrokeCpuMs: number;
}

/** Searches and lists a tree of 50,000 files as an official image lets it. */
export async function measureSearch(rounds: number): Promise<SearchFigures> {
  const bin = await mkdtemp(path.join(os.tmpdir(), 'runpod-bench-'));
  const pod = await startPod({ sshd: { env: { PATH: await toolFolder(bin, 'grep') } } });
  try {
    makeBigTree(pod.dir);
    pod.link.shape({ rttMs: 50 });
    await pod.files.list(pod.dir);
    const readWords = readWordsFrom(pod.files);
    const first: number[] = [];
    const lists: number[] = [];
    let paths: readonly string[] = [];
    for (let round = 0; round <= rounds; round++) {
      let began = performance.now();
      let came: number | undefined;
      await searchFolder(pod.host, readWords, pod.dir, { text: 'needle' }, { onMatches: () => (came ??= performance.now() - began) });
      if (round > 0) first.push(came ?? Infinity);
      began = performance.now();
      ({ paths } = await listFiles(pod.host, pod.files, readWords, pod.dir, { exclude: [] }));
      if (round > 0) lists.push(performance.now() - began);
    }
    return { files: bigTreeFiles, firstResultsMs: median(first), listMs: median(lists), keystrokeCpuMs: slowestKeystroke(paths) };
  } finally {
    await pod.stop();
    await rm(bin, { recursive: true });
  }
}

function slowestKeystroke(paths: readonly string[]): number {
  const index = new PathIndex(paths);
  const times: number[] = [];
  for (const query of ['t', 'te', 'tesh', 'testh pack', 'mod1 step', 'e', 'zzz', 'p/m/t']) {
    const before = process.cpuUsage();
    index.find(query, 100);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return Math.max(...times);
}
