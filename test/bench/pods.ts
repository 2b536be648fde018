import { createServer } from 'node:http';
import type { Memento } from 'vscode';
import { silentLog } from '../../src/base/log';
import { standInForEditor } from './editorStub';
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

const now = new Date().toISOString();
const body = (i: number): object => ({
  id: `pod${String(i).padStart(11, '0')}`,
  name: `llama-ft-${i}`,
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  args: '',
  disk: 20,
  ports: ['22/tcp', '8888/http'],
  env: { PUBLIC_KEY: 'ssh-ed25519 AAAA' },
  registry: null,
  status: i % 4 === 3 ? 'EXITED' : 'RUNNING',
  actions: i % 4 === 3 ? ['start', 'terminate'] : ['stop', 'restart', 'terminate'],
  mounts: { persistent: { size: 50, path: '/workspace' } },
  gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
  cloud: 'SECURE',
  dataCenterId: 'EU-RO-1',
  cudaVersion: '12.8',
  ssh: { proxy: { host: 'ssh.runpod.io', port: 22, username: `pod${i}-64411`, command: `ssh pod${i}-64411@ssh.runpod.io` }, direct: i % 4 === 3 ? null : { host: '203.0.113.7', port: 20_000 + i, username: 'root', command: '' } },
  template: null,
  cost: 0.69,
  locked: false,
  globalNetworking: { enabled: false },
  runtime: null,
  createdAt: now,
  startedAt: i % 4 === 3 ? null : now,
});

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
  // Two texts in turn, so that every row is painted anew each time.
  const answers = [0, 1].map((turn) => JSON.stringify({ pods: Array.from({ length: count }, (_, i) => ({ ...body(i), cost: 0.69 + turn / 100 })), pagination: { hasNextPage: false } }));
  let turn = 0;
  const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(answers[turn++ % 2]));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const client = new RunPodClient({ restUrl: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v2`, key: async () => 'rpa_BENCH', userAgent: 'runpod-workspaces/bench', log: silentLog });
  const store = new PodStore(async () => ({ listPods: () => client.pods.list({ background: true }), readAccount: async () => undefined }), silentLog);
  const sessions = new PodSessions({} as ConstructorParameters<typeof PodSessions>[0]);
  const memento: Memento = { keys: () => [], get: () => undefined, update: async () => undefined };
  const view = new PodsView(store, sessions, new ActivePod(memento, store), Date.now, () => undefined);
  const ticker = new Ticker(store, new SpendMeter(), Date.now);
  try {
    const refreshMs: number[] = [];
    const refreshCpuMs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      let painted = 0;
      const before = process.cpuUsage();
      const took = await timed(async () => {
        await store.refresh();
        for (const node of view.getChildren()) if (view.getTreeItem(node).label !== '') painted++;
      });
      if (painted !== count) throw new Error(`${painted} rows of ${count}`);
      // The first one compiles.
      if (round === 0) continue;
      const { user, system } = process.cpuUsage(before);
      refreshMs.push(took);
      refreshCpuMs.push((user + system) / 1000);
    }
    const ticks: number[] = [];
    for (let i = 0; i < 200; i++) ticks.push(await timed(() => ticker.tick()));
    return { pods: count, refreshMs, refreshCpuMs: median(refreshCpuMs), tickMs: median(ticks) };
  } finally {
    ticker.dispose();
    view.dispose();
    sessions.dispose();
    store.dispose();
    client.dispose();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
