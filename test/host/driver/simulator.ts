import { join } from 'node:path';
import { root } from '../../setup/root.mjs';
import { startUntil, type Child } from './child';

/** What the simulator says of itself in its first line. */
export interface SimulatorAddress {
  readonly restUrl: string;
  readonly graphqlUrl: string;
  readonly apiKey: string;
  /** Faults on demand. */
  readonly controlUrl?: string;
  /** The file of a private key that the account's pods let in. */
  readonly sshKey?: string;
}

/** RunPod on this machine, in a process of its own. */
export class RunningSimulator {
  constructor(readonly address: SimulatorAddress, readonly log: string, readonly child: Child) {}

  /** The settings that point the extension at it, and at the SSH key of its account. */
  get settings(): Record<string, unknown> {
    const { restUrl, graphqlUrl, sshKey } = this.address;
    return {
      'runpod.api.restUrl': restUrl,
      'runpod.api.graphqlUrl': graphqlUrl,
      ...(sshKey === undefined ? {} : { 'runpod.ssh.identityFiles': [sshKey] }),
    };
  }

  /** Calls the REST API as its account does. `path` is relative to the REST root: `pods`, `pods/<id>`. */
  async rest<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.address.restUrl.replace(/\/$/, '')}/${path.replace(/^\//, '')}`, {
      method,
      headers: { authorization: `Bearer ${this.address.apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Changes the simulator itself: `PATCH settings`, `POST faults`, … (see its README). */
  async control<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.address.controlUrl}/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }
}

/**
 * @param log the file that receives what it writes
 * @param args further arguments for `test/simulator/main.ts`
 */
export async function startSimulator(log: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env): Promise<RunningSimulator> {
  const main = join(root, 'test', 'simulator', 'main.ts');
  const { child, value } = await startUntil(process.execPath, ['--import', 'tsx', main, '--json', '--port', '0', ...args], { cwd: root, env, log }, addressIn);
  return new RunningSimulator(value, log, child);
}

function addressIn(line: string): SimulatorAddress | undefined {
  if (!line.startsWith('{')) return undefined;
  const value = JSON.parse(line) as Partial<SimulatorAddress>;
  return value.restUrl !== undefined && value.graphqlUrl !== undefined && value.apiKey !== undefined ? (value as SimulatorAddress) : undefined;
}
