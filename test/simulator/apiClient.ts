import type { Simulator } from './simulator';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON, or `undefined` for an empty body. */
  readonly body: unknown;
}

export interface PodJson {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly actions: string[];
  readonly cost: number;
  readonly env: Record<string, string>;
  readonly args: string;
  readonly ports: string[];
  readonly template: string | null;
  readonly dataCenterId: string | null;
  readonly startedAt: string | null;
  readonly gpu?: { id: string; count: number; vcpuCount?: number; memory?: number };
  readonly ssh: { direct: { host: string; port: number } | null; proxy: { host: string; port: number; username: string } | null };
  readonly runtime: { uptime: number; ports: { private: number; public: number; type: string; ip: string }[] } | null;
}

/** A client as plain as can be, for the simulator's own tests. */
export class ApiClient {
  constructor(
    readonly simulator: Simulator,
    readonly key: string = simulator.apiKey,
  ) {}

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.simulator.origin + path, {
      method,
      headers: { Authorization: `Bearer ${this.key}`, 'User-Agent': 'simulator-tests/1.0', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = text !== '' && (response.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : text === '' ? undefined : text;
    return { status: response.status, headers: response.headers, body: json };
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  async pods(): Promise<PodJson[]> {
    return ((await this.get('/v2/pods')).body as { pods: PodJson[] }).pods;
  }

  async pod(id: string): Promise<PodJson> {
    return (await this.get(`/v2/pods/${id}`)).body as PodJson;
  }

  async create(body: Record<string, unknown> = {}): Promise<PodJson> {
    const answer = await this.call('POST', '/v2/pods', { ...gpuPod, ...body });
    if (answer.status !== 201) throw new Error(`create: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as PodJson;
  }

  act(id: string, action: string): Promise<Answer> {
    return this.call('POST', `/v2/pods/${id}/action`, { action });
  }

  async graphql(query: string, variables?: Record<string, unknown>): Promise<{ data: Record<string, unknown> | null; errors?: { message: string }[] }> {
    return (await this.call('POST', '/graphql', { query, variables })).body as { data: Record<string, unknown> | null; errors?: { message: string }[] };
  }

  /** Reads a log stream until `done`, then leaves it. Rejects when the stream ends first. */
  async log(id: string, query: string, done: (frames: Frame[]) => boolean, headers: Record<string, string> = {}): Promise<Frame[]> {
    const response = await fetch(`${this.simulator.restUrl}/pods/${id}/logs${query}`, {
      headers: { Authorization: `Bearer ${this.key}`, 'User-Agent': 'simulator-tests/1.0', ...headers },
    });
    const frames: Frame[] = [];
    let text = '';
    if (response.body === null) throw new Error('no stream');
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString('utf8');
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const match = /^id: (.*)\ndata: (.*)$/.exec(part);
        if (match !== null) frames.push({ id: match[1] ?? '', ...(JSON.parse(match[2] ?? '{}') as Omit<Frame, 'id'>) });
      }
      // Leaving the loop cancels the body and so closes the connection.
      if (done(frames)) return frames;
    }
    throw new Error(`the stream ended after ${frames.length} lines`);
  }
}

export interface Frame {
  readonly id: string;
  readonly ts: string;
  readonly source: string;
  readonly line: string;
}

export const gpuPod = {
  name: 'sdxl',
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  gpu: { id: 'NVIDIA L4', count: 1 },
  disk: 20,
  ports: ['8888/http', '22/tcp'],
  mounts: { persistent: { size: 20, path: '/workspace' } },
  startSsh: true,
};

/** Phases that take no noticeable time. */
export const atOnce = { provisioningMs: 20, pullMs: 40, startMs: 30, directDelayMs: 20, oldPortMs: 60, sshDelayMs: 0, stopMs: 20 };
