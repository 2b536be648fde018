import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { silentLog } from '../../../src/base/log';
import type { LaunchOnSight } from '../../../src/editor/createPod/profileOrders';
import { Watches } from '../../../src/editor/createPod/watches';
import type { Asked } from '../../../src/pods/asked';
import type { WatchOrder } from '../../../src/pods/watch';
import { until } from './account';

type Context = ConstructorParameters<typeof Watches>[0];
type CatalogApi = ConstructorParameters<typeof Watches>[2];

const profile = { folder: 'file:///proj', key: 'train', digest: 'as it was' };
const asked: Asked = { request: { name: 'train', image: 'x', gpu: { id: 'NVIDIA L4', count: 1 } }, label: 'L4', perHour: 0.43, cap: 0.5, profile };

describe('a watch that comes from a folder’s profile', () => {
  let folder: string;
  let notes: Map<string, unknown>;
  let price: number;
  /** What is free. */
  let free: boolean;
  const windows: Watches[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'watches-'));
    notes = new Map();
    [price, free] = [0.43, false];
  });
  afterEach(() => {
    for (const one of windows.splice(0)) one.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A window of one person; all of them share what is kept. */
  function aWindow(launch: LaunchOnSight, isHere = true): Watches {
    const globalState = { get: (key: string, otherwise?: unknown) => notes.get(key) ?? otherwise, update: async (key: string, value: unknown) => void notes.set(key, value) };
    const context = { globalState, globalStorageUri: vscode.Uri.file(folder) } as unknown as Context;
    const type = () => ({ id: 'NVIDIA L4', name: 'L4', memoryGb: 24, secure: true, community: false, price: { secure: price }, maxCount: {}, availability: free ? 'HIGH' : 'NONE', dataCenters: free ? [{ id: 'US-KS-2', name: 'Kansas', availability: 'HIGH' }] : [] });
    const api = { client: async () => ({ catalog: { gpus: async () => [type()] } }) } as unknown as CatalogApi;
    const keys = { account: 'o', onDidChange: new vscode.EventEmitter<never>().event };
    const watches = new Watches(context, keys, api, silentLog, { timings: { front: 50, background: 50, elsewhere: 50, handOver: 1_000 }, isHere: () => isHere });
    watches.useLaunches(launch);
    windows.push(watches);
    return watches;
  }
  const kept = (): readonly WatchOrder[] => (notes.get('runpod.watches') ?? []) as readonly WatchOrder[];

  it('is made as soon as it is free, once, with what was agreed to and no dearer', async () => {
    const made: unknown[] = [];
    const watches = aWindow(async (...what) => {
      made.push(what);
      return 'made';
    });
    await watches.add([asked], true);
    assert.deepEqual([kept()[0]?.createOnSight, kept()[0]?.cap], [true, 0.5]);
    [price, free] = [0.6, true];
    const before = notes.get('runpod.watches.askedAt');
    await until('another look', () => notes.get('runpod.watches.askedAt') !== before);
    assert.deepEqual(made, [], 'above the cap nothing is made');
    price = 0.45;
    await until('its pod', () => made.length > 0);
    assert.deepEqual(made, [[profile, 0.5]]);
    assert.deepEqual(kept(), []);
  });

  it('goes on when somebody else was faster', async () => {
    const outcomes: ('gone' | 'made')[] = ['gone', 'gone', 'made'];
    free = true;
    await aWindow(async () => outcomes.shift() ?? assert.fail()).add([asked], true);
    await until('its pod', () => outcomes.length === 0 && kept().length === 0);
  });

  it('tells and makes nothing when the profile says something else by then', async () => {
    let calls = 0;
    free = true;
    await aWindow(async () => {
      calls++;
      return 'changed';
    }).add([asked], true);
    await until('it to be told', () => kept()[0]?.toldAt !== undefined);
    assert.deepEqual([calls, kept()[0]?.createOnSight], [1, false]);
  });

  it('is left to the window of its folder by one that sees it first, and told where there is none', async () => {
    const elsewhere: LaunchOnSight = () => assert.fail('it has no folder to make it from');
    const first = aWindow(elsewhere, false);
    await first.add([asked], true);
    free = true;
    await until('it to be seen', () => kept()[0]?.seenAt !== undefined);
    let made = 0;
    for (let i = 0; i < 2; i++)
      aWindow(async () => {
        made++;
        return 'made';
      });
    await until('its pod', () => made > 0);
    await until('the order to go', () => kept().length === 0);
    assert.equal(made, 1);
    for (const one of windows.splice(1)) one.dispose();
    await first.add([asked], true);
    await until('it to be told', () => kept()[0]?.toldAt !== undefined);
  });
});
