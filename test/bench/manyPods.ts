import { createServer, type Server } from 'node:http';

const now = new Date().toISOString();

const pod = (i: number, reachable: boolean, cost: number | null): object => ({
  id: `pod${String(i).padStart(11, '0')}`,
  name: `llama-ft-${i}`,
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  args: '',
  disk: 20,
  ports: reachable ? ['22/tcp', '8888/http'] : ['8888/http'],
  env: { PUBLIC_KEY: 'ssh-ed25519 AAAA' },
  registry: null,
  status: i % 4 === 3 ? 'EXITED' : 'RUNNING',
  actions: i % 4 === 3 ? ['start', 'terminate'] : ['stop', 'restart', 'terminate'],
  mounts: { persistent: { size: 50, path: '/workspace' } },
  gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
  cloud: 'SECURE',
  dataCenterId: 'EU-RO-1',
  cudaVersion: '12.8',
  ssh: { proxy: { host: 'ssh.runpod.io', port: 22, username: `pod${i}-64411`, command: `ssh pod${i}-64411@ssh.runpod.io` }, direct: !reachable || i % 4 === 3 ? null : { host: '203.0.113.7', port: 20_000 + i, username: 'root', command: '' } },
  template: null,
  cost,
  locked: false,
  globalNetworking: { enabled: false },
  runtime: null,
  createdAt: now,
  startedAt: i % 4 === 3 ? null : now,
});

/** An account with so many pods: the list alone, as RunPod's API gives it. */
export class ManyPods {
  #turn = 0;
  readonly #answers: readonly string[];

  private constructor(
    private readonly server: Server,
    count: number,
    { reachable, change }: Required<ManyPodsOptions>,
  ) {
    // Two texts in turn, so that every row is painted anew each time.
    this.#answers = [0, 1].map((turn) => {
      const pods = Array.from({ length: count }, (_, i) => ({ ...pod(i, reachable, 0.69 + turn / 100), ...change(i) }));
      return JSON.stringify({ pods, pagination: { hasNextPage: false } });
    });
    server.on('request', (request, response) => {
      response.setHeader('content-type', 'application/json').end(request.url?.startsWith('/v2/pods') ? this.#answers[this.#turn % 2] : '{}');
    });
  }

  static async start(count: number, options: ManyPodsOptions = {}): Promise<ManyPods> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ManyPods(server, count, { reachable: true, change: () => ({}), ...options });
  }

  get restUrl(): string {
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v2`;
  }

  /** The next list has another price for every pod. @returns that price, USD per hour */
  turn(): number {
    this.#turn++;
    return 0.69 + (this.#turn % 2) / 100;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface ManyPodsOptions {
  /** Whether pods have an address by which an editor would try to reach them. Default true. */
  readonly reachable?: boolean;
  /** What is special about one of them. */
  readonly change?: (i: number) => object;
}
