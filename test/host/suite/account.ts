import * as vscode from 'vscode';

interface Address {
  readonly restUrl: string;
  readonly apiKey: string;
  readonly controlUrl: string;
}

/** RunPod's side of the suite: the simulator that the editor talks to, asked directly. */
export const simulator = {
  get address(): Address {
    return JSON.parse(process.env['RUNPOD_SIMULATOR'] ?? '{}') as Address;
  },

  async rest<T = unknown>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const { restUrl, apiKey } = this.address;
    const response = await fetch(`${restUrl}/${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'user-agent': 'suite/1' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
  },

  /** Faults, settings and deeds of the simulator: see its README. */
  async control(method: string, path: string, body: unknown): Promise<void> {
    const response = await fetch(`${this.address.controlUrl}/${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  },
};

export interface PodBody {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly args: string;
  readonly ports: string[];
  readonly env: Record<string, string>;
  readonly gpu?: { id: string; count: number };
  readonly mounts: { persistent?: { path: string; size: number }; network?: { path: string }[] };
}

/** The pod of that name, from the API. */
export async function podNamed(name: string): Promise<PodBody> {
  const { body } = await simulator.rest<{ pods: PodBody[] }>('GET', 'pods');
  const pod = body.pods.find((p) => p.name === name);
  if (!pod) throw new Error(`No pod ${name} among ${body.pods.map((p) => p.name).join(', ')}`);
  return pod;
}

export const command = <T>(id: string, ...args: unknown[]): Thenable<T> => vscode.commands.executeCommand<T>(id, ...args);

/** Asks again until `done`; fails after `ms` with what it waited for. */
export async function until(what: string, done: () => Promise<boolean> | boolean, ms = 60_000): Promise<void> {
  for (const end = Date.now() + ms; !(await done()); ) {
    if (Date.now() > end) throw new Error(`Waited ${ms / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
