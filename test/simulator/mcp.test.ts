import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { withDeadline } from '../../src/base/time';
import { atOnce } from './apiClient';
import { startSimulator, type Simulator } from './simulator';

/** RunPod's own MCP server, spoken to in JSON-RPC lines. */
class OfficialClient {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (message: { result?: unknown; error?: { message: string } }) => void>();
  #nextId = 1;

  constructor(simulator: Simulator) {
    const entry = join(dirname(createRequire(join(process.cwd(), 'package.json')).resolve('@runpod/mcp-server/package.json')), 'dist', 'stdio.mjs');
    this.#process = spawn(process.execPath, [entry], {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        RUNPOD_API_KEY: simulator.apiKey,
        // The name of this variable changed with version 4.
        RUNPOD_REST_V2_API_URL: simulator.restUrl,
        RUNPOD_API_BASE_URL: simulator.origin,
        RUNPOD_AUTHED_GRAPHQL_URL: simulator.graphqlUrl,
        RUNPOD_PUBLIC_GRAPHQL_URL: simulator.graphqlUrl,
      },
    });
    this.#process.stderr.resume();
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { id?: number; result?: unknown; error?: { message: string } };
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    });
  }

  async open(): Promise<void> {
    await this.#request('initialize', { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'simulator-tests', version: '1.0' } });
    this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  /** The text of a tool's answer. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<{ failed: boolean; text: string }> {
    const result = (await this.#request('tools/call', { name, arguments: args })) as { isError?: boolean; content: { text: string }[] };
    return { failed: result.isError === true, text: result.content.map((part) => part.text).join('\n') };
  }

  /** The JSON of an answer that is no error. */
  async json(name: string, args: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { failed, text } = await this.call(name, args);
    assert.ok(!failed, `${name}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.kill();
    await closed;
  }

  async #request(method: string, params: unknown): Promise<unknown> {
    const id = this.#nextId++;
    const answered = new Promise<{ result?: unknown; error?: { message: string } }>((resolve) => this.#waiting.set(id, resolve));
    this.#send({ jsonrpc: '2.0', id, method, params });
    const message = await withDeadline(answered, 60_000, method);
    if (message.error !== undefined) throw new Error(message.error.message);
    return message.result;
  }

  #send(message: unknown): void {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

describe("RunPod's official client, unchanged", () => {
  let simulator: Simulator;
  let client: OfficialClient;
  before(async () => {
    simulator = await startSimulator({ mode: 'none', settings: { timings: atOnce } });
    client = new OfficialClient(simulator);
    await client.open();
  });
  after(async () => {
    await client.close();
    await simulator.close();
    assert.deepEqual(simulator.violations, []);
  });

  it('lists the fleet', async () => {
    const { text } = await client.call('list-pods');
    for (const name of ['llama-ft', 'old-exp', 'prep-cpu']) assert.ok(text.includes(name), text);
  });

  it('creates, reads, stops, starts and deletes a pod, and reads its log', async () => {
    const created = await client.json('create-pod', {
      body: { name: 'sdxl', image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404', gpu: { id: 'NVIDIA L4', count: 1 }, disk: 20, ports: ['22/tcp'], startSsh: true },
    });
    const id = String(created['id']);
    await simulator.until(id, 'RUNNING');
    assert.equal((await client.json('get-pod', { id }))['status'], 'RUNNING');
    const log = await client.call('stream-pod-logs', { podId: id, maxWaitMs: 600, tail: 1000 });
    assert.ok(!log.failed && log.text.includes('SHA256:') && log.text.includes('start container'), log.text);
    assert.equal((await client.json('pod-action', { id, body: { action: 'stop' } }))['status'], 'EXITED');
    const again = await client.call('pod-action', { id, body: { action: 'stop' } });
    assert.ok(again.failed && again.text.includes('409'), again.text);
    await client.json('pod-action', { id, body: { action: 'start' } });
    await simulator.until(id, 'RUNNING');
    assert.ok(!(await client.call('delete-pod', { id })).failed);
    assert.ok((await client.call('get-pod', { id })).failed);
  });

  it('reads the catalog, the keys and the bills', async () => {
    for (const [tool, args, word] of [
      ['list-gpu-types', { include: ['AVAILABILITY'], product: ['POD'] }, 'RTX 4090'],
      ['list-data-centers', {}, 'US-KS-2'],
      ['list-network-volumes', {}, 'datasets'],
      ['list-pod-billing', { lastN: 3 }, 'gfj8b292vyg08g'],
    ] as const) {
      const { failed, text } = await client.call(tool, args);
      assert.ok(!failed && text.includes(word), `${tool}: ${text}`);
    }
  });
});
