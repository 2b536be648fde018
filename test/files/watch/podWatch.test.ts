import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { sleep } from '../../../src/base/time';
import { type News, PodWatch, type WatchTimings } from '../../../src/files/watch/podWatch';
import type { StreamHost } from '../../../src/files/streamed';
import { until as eventually } from '../../support/until';
import { startPod, type TestPod } from '../pod';
import { where } from '../search/tools';

describe('watching what is on screen', () => {
  let pod: TestPod;
  let watch: PodWatch;
  let news: { created: Set<string>; changed: string[]; deleted: Set<string> };

  before(async () => {
    pod = await startPod();
  });
  after(() => pod.stop());
  beforeEach(async () => {
    for (const name of await readdir(pod.dir)) await rm(pod.at(name), { recursive: true });
  });
  afterEach(() => watch.dispose());

  /** A pod without inotify unless told otherwise. */
  const noBell: StreamHost = { exec: (command) => pod.host.exec(command.replaceAll('inotifywait', 'no-such-tool')) };

  function start(options: { bell?: boolean; timings?: Partial<WatchTimings> } = {}): void {
    news = { created: new Set(), changed: [], deleted: new Set() };
    const take = ({ created, changed, deleted }: News): void => {
      for (const file of created) news.created.add(path.basename(file));
      for (const file of deleted) news.deleted.add(path.basename(file));
      news.changed.push(...changed.map((file) => path.basename(file)));
    };
    watch = new PodWatch(pod.files, options.bell === true ? pod.host : noBell, take, { timings: { everyMs: 100, ...options.timings } });
  }
  async function list(folder = pod.dir): Promise<void> {
    watch.listed(folder, (await pod.files.list(folder)).map(({ name }) => name));
  }
  const until = (what: string, is: () => boolean): Promise<void> => eventually(is, () => `${what}; news: ${JSON.stringify({ ...news, created: [...news.created], deleted: [...news.deleted] })}`);

  /** Until the pod has been asked nothing for so long, which is seen at once where nothing more is to be asked. */
  async function quiet(ms: number): Promise<void> {
    for (let asked = -1; asked !== pod.link.counts.bytesUp; await sleep(ms)) asked = pod.link.counts.bytesUp;
  }

  it('tells what comes, goes and changes', async () => {
    await writeFile(pod.at('loss.csv'), 'a\n');
    await writeFile(pod.at('old'), '');
    start();
    await list();
    watch.saw(pod.at('loss.csv'), await pod.files.stat(pod.at('loss.csv')));
    watch.want({ files: [pod.at('loss.csv')], folders: [pod.dir] });
    await sleep(500);
    assert.deepEqual([news.created.size, news.changed.length, news.deleted.size], [0, 0, 0]);
    await appendFile(pod.at('loss.csv'), 'b\n');
    await until('the change', () => news.changed.includes('loss.csv'));
    await writeFile(pod.at('new'), '');
    await rm(pod.at('old'));
    await until('the new name', () => news.created.has('new'));
    await until('the name that went', () => news.deleted.has('old'));
    await rename(pod.at('new'), pod.at('moved'));
    await until('the move', () => news.created.has('moved') && news.deleted.has('new'));
    await rm(pod.at('loss.csv'));
    await until('the end of the file', () => news.deleted.has('loss.csv'));
    await writeFile(pod.at('loss.csv'), '');
    await until('its return', () => news.created.has('loss.csv'));
  });

  it('misses nothing that happens in one second', async () => {
    start();
    await list();
    watch.want({ files: [], folders: [pod.dir] });
    for (let i = 0; i < 25; i++) {
      await writeFile(pod.at(`f${i}`), '');
      await sleep(60);
    }
    await until('all of them', () => news.created.size === 25);
  });

  it('tells what happened between the editor’s own look and the first of ours, and while nobody looked', async () => {
    await writeFile(pod.at('f'), 'one');
    start();
    await list();
    const stat = await pod.files.stat(pod.at('f'));
    watch.saw(pod.at('f'), stat);
    await writeFile(pod.at('f'), 'four');
    await writeFile(pod.at('g'), '');
    watch.want({ files: [pod.at('f')], folders: [pod.dir] });
    await until('both', () => news.changed.includes('f') && news.created.has('g'));
    await sleep(400);
    watch.rest(true);
    // A look that was under way may still be told.
    await sleep(1_000);
    await writeFile(pod.at('f'), 'longer');
    await writeFile(pod.at('h'), '');
    await sleep(400);
    assert.deepEqual([news.changed.length, news.created.has('h')], [1, false]);
    watch.rest(false);
    await until('both', () => news.changed.length === 2 && news.created.has('h'));
  });

  it('does not tell what we did ourselves', async () => {
    await writeFile(pod.at('f'), 'one');
    start();
    await list();
    watch.want({ files: [pod.at('f')], folders: [pod.dir] });
    await sleep(300);
    const options = { create: true, overwrite: true };
    await pod.files.writeFile(pod.at('f'), Buffer.from('ours'), options);
    watch.own(pod.at('f'), 'changed');
    await pod.files.writeFile(pod.at('new'), Buffer.from('ours'), options);
    watch.own(pod.at('new'), 'created');
    await sleep(600);
    assert.deepEqual([[...news.created], news.changed, [...news.deleted]], [[], [], []]);
  });

  it('does not take for another’s what a look saw of our own change before we told of it', async () => {
    const file = { kind: 'file', link: false, mode: 0, uid: 0, gid: 0, readonly: false } as const;
    const folder = { ...file, kind: 'directory', size: 0, mtimeMs: Date.now() } as const;
    let size = 1;
    let names = ['f'];
    let changing = '';
    let duringLook: () => void = () => undefined;
    let looks = 0;
    const files = {
      peek: async (paths: readonly string[]) => {
        const seen = paths.map((one) => (one === '/d' ? { ...folder, mtimeMs: folder.mtimeMs + looks } : { ...file, size, mtimeMs: 0 }));
        looks++;
        duringLook();
        duringLook = () => undefined;
        return seen;
      },
      list: async () => names.map((name) => ({ name, kind: 'file' as const, link: false })),
      changed: () => undefined,
      isChanging: (one: string) => one === changing,
    };
    news = { created: new Set(), changed: [], deleted: new Set() };
    watch = new PodWatch(files, noBell, ({ created, changed, deleted }) => {
      created.forEach((one) => news.created.add(one));
      deleted.forEach((one) => news.deleted.add(one));
      news.changed.push(...changed);
    }, { timings: { everyMs: 20 } });
    const looked = async (): Promise<void> => {
      const from = looks;
      await until('two looks', () => looks >= from + 2);
    };
    watch.listed('/d', names);
    watch.want({ files: ['/d/f'], folders: ['/d'] });
    await looked();
    // On the pod already, not yet acknowledged here.
    changing = '/d/f';
    size = 2;
    await looked();
    watch.own('/d/f', 'changed');
    changing = '/d/new';
    names = ['f', 'new'];
    await looked();
    watch.own('/d/new', 'created');
    changing = '';
    // Seen before the change, answered after it.
    duringLook = () => {
      size = 3;
      watch.own('/d/f', 'changed');
    };
    await looked();
    assert.deepEqual([[...news.created], news.changed, [...news.deleted]], [[], [], []]);
    size = 4;
    await until('another’s change', () => news.changed.length === 1);
  });

  it('asks in one round trip, and nothing while nobody looks', async () => {
    const folders = [pod.dir];
    for (let i = 0; i < 50; i++) {
      await mkdir(pod.at(`d${i}`));
      folders.push(pod.at(`d${i}`));
    }
    start({ timings: { everyMs: 1_000 } });
    watch.want({ files: folders.map((folder) => `${folder}/train.log`), folders });
    await sleep(600);
    pod.link.shape({ rttMs: 150 });
    await sleep(200);
    const began = performance.now();
    const before = pod.link.counts.flightsUp;
    await sleep(2_000);
    const used = pod.link.counts.flightsUp - before;
    const seconds = (performance.now() - began) / 1000;
    pod.link.shape({});
    assert.ok(used >= 1 && used <= 1 + seconds, `${used} round trips in ${seconds} s`);
    watch.rest(true);
    await quiet(300);
    const { bytesUp } = pod.link.counts;
    await sleep(1_500);
    watch.want({ files: [], folders: [] });
    watch.rest(false);
    await sleep(1_500);
    assert.equal(pod.link.counts.bytesUp, bytesUp);
  });

  it('lets a big file grow without having it read again and again', async () => {
    await writeFile(pod.at('big.log'), 'x'.repeat(100_000));
    start({ timings: { everyMs: 50, reloadBytesPerSecond: 100_000 } });
    watch.saw(pod.at('big.log'), await pod.files.stat(pod.at('big.log')));
    watch.want({ files: [pod.at('big.log')], folders: [] });
    const began = performance.now();
    for (let i = 0; i < 30; i++) {
      await appendFile(pod.at('big.log'), 'more\n');
      await sleep(50);
    }
    const seconds = (performance.now() - began) / 1000;
    assert.ok(news.changed.length <= 2 + seconds, `${news.changed.length} in ${seconds} s`);
    const told = news.changed.length;
    await appendFile(pod.at('big.log'), 'the last\n');
    await until('the last of it', () => news.changed.length > told);
  });

  it('names some of very many new files, and says that there are more', async () => {
    const many = 100_000;
    const names = Array.from({ length: many }, (_, i) => `${i}`);
    let listing = ['old'];
    let told: News | undefined;
    const changedHere: (string | undefined)[] = [];
    const stat = { kind: 'directory', link: false, size: 0, mtimeMs: Date.now(), mode: 0, uid: 0, gid: 0, readonly: false } as const;
    const files = {
      peek: async (paths: readonly string[]) => paths.map(() => stat),
      list: async () => listing.map((name) => ({ name, kind: 'file' as const, link: false })),
      changed: (file?: string) => void changedHere.push(file),
      isChanging: () => false,
    };
    watch = new PodWatch(files, noBell, (one) => (told ??= one), { timings: { everyMs: 20 } });
    watch.listed('/d', listing);
    listing = names;
    const before = process.cpuUsage();
    watch.want({ files: [], folders: ['/d'] });
    await eventually(() => told !== undefined, 'the news');
    assert.deepEqual([told?.created.length, told?.deleted.length, told?.crowded], [500, 1, ['/d']]);
    assert.deepEqual(changedHere, [undefined]);
    // Names that this window makes itself cost nothing that grows with the folder.
    for (let i = 0; i < 20_000; i++) watch.own(`/d/own${i}`, 'created');
    assert.ok(process.cpuUsage(before).user < 5e6);
  });

  it('goes on after the connection was cut', async () => {
    start();
    await list();
    watch.want({ files: [], folders: [pod.dir] });
    await sleep(300);
    pod.link.cut();
    await writeFile(pod.at('after'), '');
    await until('the file', () => news.created.has('after'));
  });

  it('is rung by the pod where inotifywait is, and asks nothing in between', async () => {
    where('inotifywait');
    start({ bell: true, timings: { everyMs: 60_000, whenRungMs: 60_000 } });
    await list();
    watch.want({ files: [pod.at('loss.csv')], folders: [pod.dir] });
    // It looks once the bell hangs, and then no more.
    await quiet(1_000);
    await writeFile(pod.at('loss.csv'), 'a');
    await until('the file', () => news.created.has('loss.csv'));
    for (let i = 0; i < 15; i++) {
      await appendFile(pod.at('loss.csv'), 'b');
      await sleep(100);
    }
    await until('its growth', () => news.changed.includes('loss.csv'));
    await sleep(2_500);
    await writeFile(pod.at('last'), '');
    await until('what came after', () => news.created.has('last'));
    pod.link.cut();
    await sleep(4_500);
    await writeFile(pod.at('later'), '');
    await until('what came after the cut', () => news.created.has('later'));
  });
});
