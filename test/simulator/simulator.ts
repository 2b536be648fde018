import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateEd25519 } from '../../src/ssh/opensshKey';
import { PodClock } from './clock';
import { ControlApi, type Controls } from './control';
import { FaultBook, type FaultRule } from './faults';
import { FLEET_BALANCE_USD, seedFleet } from './fleet';
import { Gateway, type SeenRequest } from './gateway';
import { GraphqlApi } from './graphql/api';
import { openHost, type Mode } from './hosts';
import { newKey, newResourceId } from './ids';
import type { Disk, LocalMachine } from './machine/host';
import { Lifecycle } from './lifecycle';
import type { LinkShape, LogSource, Machine, MachineHost, PublicPort } from './machine';
import { PaperHost } from './paper';
import type { Pod, PodStatus } from './pod';
import type { ProxyAddress } from './podView';
import { badRequest, notFound } from './problem';
import { openProxyShell, type ProxyDestination, type ProxyShell } from './proxyShell';
import { RestApi, type Service } from './rest';
import { billingRoutes } from './routes/billing';
import { catalogRoutes } from './routes/catalog';
import { podRoutes } from './routes/pods';
import { resourceRoutes } from './routes/resources';
import { applySettings, defaultSettings, type Settings, type SettingsPatch } from './settings';
import { openStateDir } from './stateDir';
import { World, type Permission } from './world';

export interface SimulatorOptions {
  /** Port of the API on loopback; 0 or absent: any free one. */
  readonly port?: number;
  /** Pod time per wall time; default 1. */
  readonly speed?: number;
  /** Where volumes lie; kept. Absent: a fresh folder that goes with the simulator. */
  readonly stateDir?: string;
  /** No pods, volumes or bills at the start. */
  readonly empty?: boolean;
  readonly mode?: Mode;
  /** USD; default 18.42. */
  readonly balance?: number;
  readonly settings?: SettingsPatch;
  /** A key of the account with all permissions; absent: a new one. */
  readonly apiKey?: string;
  /** More public keys that the account, and so every pod of the fleet, knows. */
  readonly publicKeys?: readonly string[];
}

/** RunPod on one machine. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const stateDir = await openStateDir(options.stateDir);
  let host: MachineHost | undefined;
  try {
    const accountKey = await makeAccountKey(stateDir.path);
    host = await openHost(options.mode, stateDir.path);
    const simulator = new Simulator(options, stateDir, host, accountKey);
    await simulator.open(options);
    return simulator;
  } catch (error) {
    await host?.dispose();
    await stateDir.release();
    throw error;
  }
}

interface AccountKey {
  /** An OpenSSH private key that every pod of the account lets in. */
  readonly path: string;
  readonly publicKey: string;
}

async function makeAccountKey(stateDir: string): Promise<AccountKey> {
  const pair = generateEd25519('account@simulator');
  const path = join(stateDir, 'account_ed25519');
  await rm(path, { force: true });
  await writeFile(path, pair.privateKey, { mode: 0o600 });
  await writeFile(`${path}.pub`, `${pair.publicKeyLine}\n`);
  return { path, publicKey: pair.publicKeyLine };
}

type StateDir = Awaited<ReturnType<typeof openStateDir>>;

export class Simulator implements Controls {
  readonly clock: PodClock;
  readonly world: World;
  readonly lifecycle: Lifecycle;
  /** An API key with all permissions. */
  readonly apiKey: string;
  readonly #rest: RestApi;
  readonly #gateway: Gateway;
  #port = 0;
  #proxyShell: ProxyShell | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    options: SimulatorOptions,
    private readonly stateDir: StateDir,
    private readonly host: MachineHost,
    readonly accountKey: AccountKey,
  ) {
    this.apiKey = options.apiKey ?? newKey();
    this.clock = new PodClock(options.speed);
    const settings: Settings = { ...defaultSettings };
    applySettings(settings, options.settings ?? {});
    this.world = new World(this.clock, settings, new FaultBook(), {
      id: `user_${newResourceId()}`,
      email: 'account@example.com',
      balance: options.balance ?? FLEET_BALANCE_USD,
      sshKeys: [accountKey.publicKey, ...(options.publicKeys ?? [])],
      keys: new Map([[this.apiKey, 'all']]),
    });
    this.lifecycle = new Lifecycle(this.world, host, stateDir.path, () => this.#port);
    const service: Service = { world: this.world, lifecycle: this.lifecycle, proxy: () => this.#proxy() };
    this.#rest = new RestApi(service, [...podRoutes, ...catalogRoutes, ...billingRoutes, ...resourceRoutes]);
    const graphql = new GraphqlApi(service, (key) => this.#rest.principalOf(key));
    this.#gateway = new Gateway(this.world, this.#rest, graphql, new ControlApi(() => this));
  }

  /** Listens and brings the fleet up. */
  async open(options: Pick<SimulatorOptions, 'port' | 'empty'>): Promise<void> {
    if (this.mode !== 'none') this.#proxyShell = await openProxyShell({ lookup: (username) => this.#behindProxy(username) });
    this.#port = await this.#gateway.listen(options.port ?? 0);
    try {
      if (options.empty !== true) await seedFleet(this.world, this.lifecycle);
      this.lifecycle.meter.plan();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** `http://127.0.0.1:<port>`. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get restUrl(): string {
    return `${this.origin}/v2`;
  }

  get graphqlUrl(): string {
    return `${this.origin}/graphql`;
  }

  get controlUrl(): string {
    return `${this.origin}/_simulator`;
  }

  /** `SHA256:…` of the SSH proxy's host key. */
  get proxyHostKeyFingerprint(): string | undefined {
    return this.#proxyShell?.hostKeyFingerprint;
  }

  /** What the pods' machines are. */
  get mode(): Mode {
    return this.host instanceof PaperHost ? 'none' : this.host.mode;
  }

  /** Answers that were not to the letter of the contract, and failures of the simulator's own. */
  /** Method, path template and status of all answers so far. */
  get answered(): ReadonlySet<string> {
    return this.#rest.answered;
  }

  get violations(): readonly string[] {
    return this.#rest.violations;
  }

  /** Requests that came to either API, oldest first. */
  get requests(): readonly SeenRequest[] {
    return this.#gateway.requests;
  }

  /** The pod of this id or name. @throws Problem 404 */
  pod(idOrName: string): Pod {
    const pod = this.world.pods.get(idOrName) ?? [...this.world.pods.values()].find((p) => p.name === idOrName);
    if (pod === undefined) throw notFound('pod');
    return pod;
  }

  /** The machine of a pod that runs. */
  machine(idOrName: string): Machine {
    const machine = this.pod(idOrName).run?.machine;
    if (machine === undefined) throw notFound('machine of a running pod');
    return machine;
  }

  /** The public port that leads to a pod's port. */
  port(idOrName: string, privatePort = 22): PublicPort {
    const port = this.pod(idOrName).run?.ports.get(privatePort);
    if (port === undefined) throw notFound('public port of a running pod');
    return port;
  }

  /** Resolves when the pod is in this status. Rejects after `ms` of wall time. */
  async until(idOrName: string, status: PodStatus, ms = 60_000): Promise<Pod> {
    const end = Date.now() + ms;
    for (;;) {
      const pod = this.pod(idOrName);
      if (pod.status === status) return pod;
      if (Date.now() > end) throw new Error(`${pod.name} is ${pod.status} after ${ms} ms, not ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }

  set(patch: SettingsPatch & { speed?: number; balance?: number }): void {
    const { speed, balance, ...settings } = patch;
    applySettings(this.world.settings, settings);
    if (speed !== undefined) this.clock.speed = speed;
    if (balance !== undefined) this.lifecycle.meter.balance = balance;
    if (settings.quotas !== undefined) this.#rest.limiter.forget();
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  fault(rule: FaultRule): number {
    return this.world.faults.arm(rule);
  }

  clearFaults(id?: number): void {
    this.world.faults.disarm(id);
  }

  faults(): readonly FaultRule[] {
    return this.world.faults.list();
  }

  seen(): readonly SeenRequest[] {
    return this.requests;
  }

  forgetRequests(): void {
    this.#gateway.requests.length = 0;
  }

  newKey(permission: Permission): string {
    const key = newKey();
    this.world.account.keys.set(key, permission);
    return key;
  }

  link(pod: string, shape: LinkShape): void {
    for (const port of this.pod(pod).run?.ports.values() ?? []) port.shape(shape);
  }

  cut(pod: string): void {
    for (const port of this.pod(pod).run?.ports.values() ?? []) port.cut();
  }

  answerAsStranger(pod: string): Promise<void> {
    return this.lifecycle.answerAsStranger(this.pod(pod));
  }

  answerAgain(pod: string): void {
    this.lifecycle.answerAgain(this.pod(pod));
  }

  print(pod: string, source: LogSource, lines: readonly string[]): void {
    const { log } = this.pod(pod);
    for (const line of lines) log.write(source, line);
  }

  exec(pod: string, argv: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = this.machine(pod).exec(argv);
    const out = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (out.stdout += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (out.stderr += chunk.toString('utf8')));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, ...out }));
    });
  }

  /** Makes a pod's status ERROR. */
  fail(pod: string, reason: string): void {
    this.lifecycle.fail(this.pod(pod), reason);
  }

  /** Ends a spot pod as a higher bid does. */
  outbid(pod: string): void {
    this.lifecycle.act(this.pod(pod), 'stop', 'Runpod');
    this.pod(pod).lastStatusChange = `Outbid: ${new Date(this.clock.now()).toString()}`;
  }

  async fill(pod: string, disk: Disk, freeBytes: number): Promise<void> {
    await this.#local(pod).fill(disk, freeBytes);
  }

  async release(pod: string, disk: Disk): Promise<void> {
    await this.#local(pod).release(disk);
  }

  state(): unknown {
    const { settings, volumes } = this.world;
    return {
      mode: this.mode,
      speed: this.clock.speed,
      now: this.clock.iso(),
      balance: this.lifecycle.meter.balance,
      spendPerHour: this.lifecycle.meter.spendPerHour,
      settings,
      faults: this.faults(),
      pods: [...this.world.pods.values()].map((pod) => ({
        id: pod.id,
        name: pod.name,
        status: pod.status,
        startedAt: pod.startedAt === null ? null : this.clock.iso(pod.startedAt),
        restarts: pod.run?.machine?.restarts ?? 0,
        ports: [...(pod.run?.ports ?? [])].map(([privatePort, port]) => ({ private: privatePort, host: port.host, public: port.port, counts: port.counts })),
      })),
      networkVolumes: [...volumes.values()].map(({ id, name }) => ({ id, name, dir: this.lifecycle.networkVolumeDir(id) })),
      violations: this.violations,
    };
  }

  /** Ends the API, the pods and, unless it was given, the folder of their files. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#gateway.close();
    await this.#proxyShell?.close();
    await this.lifecycle.close();
    this.clock.dispose();
    await this.host.dispose();
    await this.stateDir.release();
  }

  #local(pod: string): LocalMachine {
    const machine = this.machine(pod);
    if (!('fill' in machine)) throw badRequest('this machine has no disks of its own');
    return machine as LocalMachine;
  }

  /** Nothing listens there for pods on paper; port 9 discards. */
  #proxy(): ProxyAddress {
    return this.#proxyShell ?? { host: '127.0.0.1', port: 9 };
  }

  /** The proxy knows the account's keys, not those that only a pod was given. */
  #behindProxy(username: string): ProxyDestination | undefined {
    const pod = [...this.world.pods.values()].find((p) => p.proxyUser === username);
    return pod === undefined ? undefined : { machine: pod.run?.machine, authorizedKeys: this.world.account.sshKeys };
  }
}
