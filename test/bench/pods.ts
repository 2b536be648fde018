import type { Memento } from 'vscode';
import { silentLog } from '../../src/base/log';
import { standInForEditor } from './editorStub';
import { ManyPods } from './manyPods';
import { median, timed } from './stopwatch';

export interface PodsFigures {
  readonly pods: number;
  /** From the request to the last row's text: the answer over loopback, read, checked, sorted, painted. */
  readonly refreshMs: readonly number[];
  /** Processor time of the same, the middle one; what else the machine does hardly shows in it. */
  readonly refreshCpuMs: number;
  /** One tick of the status bar with so many pods. */
  readonly tickMs: number;
}

/** A list of `count` pods, from the API to painted rows, and what the status bar's tick costs with it. */
export async function measurePods(count: number, rounds: number): Promise<PodsFigures> {
  standInForEditor();
  const [{ RunPodClient }, { PodStore }, { PodSessions }, { SpendMeter }, { PodsView }, { Ticker }, { ActivePod }] = await Promise.all([
    import('../../src/runpod/client'),
    import('../../src/pods/store'),
    import('../../src/pods/session'),
    import('../../src/pods/meter'),
    import('../../src/editor/podsView/provider'),
    import('../../src/editor/ticker'),
    import('../../src/editor/activePod'),
  ]);
  const account = await ManyPods.start(count);
  const client = new RunPodClient({ restUrl: account.restUrl, key: async () => 'rpa_BENCH', userAgent: 'runpod-workspaces/bench', log: silentLog });
  const store = new PodStore(async () => ({ listPods: () => client.pods.list({ background: true }), readAccount: async () => undefined }), silentLog);
  const sessions = new PodSessions({} as ConstructorParameters<typeof PodSessions>[0]);
  const memento: Memento = { keys: () => [], get: () => undefined, update: async () => undefined };
  const view = new PodsView(store, sessions, new ActivePod(memento, store), Date.now, () => undefined);
  // The editor gathers what a view tells for 200 ms after the first thing told: words that are the same would put the rows off.
  const words: string[] = [];
  for (const property of ['message', 'description']) Object.defineProperty(view.view, property, { get: () => '', set: (value: string) => words.push(`${property} “${value}”`) });
  const ticker = new Ticker(store, new SpendMeter(), Date.now);
  try {
    const refreshMs: number[] = [];
    const refreshCpuMs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      let painted = 0;
      account.turn();
      const before = process.cpuUsage();
      const took = await timed(async () => {
        await store.refresh();
        for (const node of await view.getChildren()) if (view.getTreeItem(node).label !== '') painted++;
      });
      if (painted !== count) throw new Error(`${painted} rows of ${count}`);
      // The first one compiles.
      if (round === 0) continue;
      const { user, system } = process.cpuUsage(before);
      refreshMs.push(took);
      refreshCpuMs.push((user + system) / 1000);
    }
    if (words.length > 0) throw new Error(`The view told words that it need not: ${words.join(', ')}`);
    const ticks: number[] = [];
    for (let i = 0; i < 200; i++) ticks.push(await timed(() => ticker.tick()));
    return { pods: count, refreshMs, refreshCpuMs: median(refreshCpuMs), tickMs: median(ticks) };
  } finally {
    ticker.dispose();
    view.dispose();
    sessions.dispose();
    store.dispose();
    client.dispose();
    await account.close();
  }
}
