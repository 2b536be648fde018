import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/base/errors';
import { sleep } from '../../src/base/time';
import { cudaOfImage } from '../../src/pods/cuda';
import { checkBalance } from './createPod';
import { expose } from './expose';
import { openPublicPort } from './link';
import { machineSpec, strangerSpec } from './machineSpec';
import type { Machine, MachineHost, PublicPort } from './machine';
import { Meter, diskRate } from './meter';
import { actionsOf, isBilled, tcpPorts, type Address, type Pod, type PodAction, type PodStatus, type Run } from './pod';
import { PaperHost } from './paper';
import { Problem, badRequest, conflict } from './problem';
import { pullLines } from './pullLines';
import type { World } from './world';

/** Who ended a pod, in the words of `lastStatusChange`. */
export type Actor = 'user' | 'Runpod';

export const NO_FREE_GPU = 'There are not enough free GPUs on the host machine to start this pod.';

const LONGEST_SSHD_START_MS = 60_000;
const LOOK_EVERY_MS = 40;

/** Ends a run's phases without a word when the pod is stopped meanwhile. */
class RunEnded extends Error {}

/** Makes pods live and die: their phases, machines, ports and disks. */
export class Lifecycle {
  readonly meter: Meter;
  #stranger: Promise<Machine> | undefined;
  /** The port of the start before, kept so that nobody else gets its number while the API still tells it. */
  readonly #formerPorts = new Map<string, PublicPort>();
  readonly #endings = new Set<Promise<void>>();
  /** Ends each pod's grace at once. */
  readonly #graces = new Set<() => void>();
  #closed = false;

  constructor(
    private readonly world: World,
    private readonly host: MachineHost,
    private readonly stateDir: string,
    private readonly apiPort: () => number,
  ) {
    this.meter = new Meter(
      world.clock,
      world.ledger,
      world.account,
      () => world.pods.values(),
      () => world.volumes.values(),
      () => this.#endForWantOfMoney(),
    );
  }

  /** Begins to bill and to boot a pod that `createPod` described. @throws Problem 402 */
  create(pod: Pod): void {
    checkBalance(this.meter.balance, pod.rate + diskRate(pod));
    this.meter.settle();
    this.world.pods.set(pod.id, pod);
    pod.lastStatusChange = `Rented by User: ${this.#date()}`;
    this.meter.plan();
    this.#boot(pod, 'new');
  }

  /** A pod that has been running since before the simulator began: it is up as soon as its machine is. */
  async adopt(pod: Pod, startedAt: number): Promise<void> {
    this.world.pods.set(pod.id, pod);
    pod.lastStatusChange = `Rented by User: ${new Date(startedAt).toString()}`;
    pod.status = 'STARTING';
    const run = this.#newRun(pod);
    await this.#up(pod, run, { startedAt, runningSince: startedAt, sshDelayMs: 0, directDelayMs: 0 });
    if (this.host instanceof PaperHost) return;
    // It has been up for hours: nobody should meet it without its sshd.
    for (const end = Date.now() + LONGEST_SSHD_START_MS; !run.sshListens && Date.now() < end; ) await sleep(LOOK_EVERY_MS);
  }

  /** A pod that was stopped before the simulator began. */
  adoptStopped(pod: Pod, stoppedAt: number, startedAt: number): void {
    this.world.pods.set(pod.id, pod);
    pod.startedAt = startedAt;
    pod.status = 'EXITED';
    pod.lastStatusChange = `Exited by user: ${new Date(stoppedAt).toString()}`;
  }

  /** @throws Problem 409 for an action that this status does not allow. */
  act(pod: Pod, action: PodAction, actor: Actor = 'user'): void {
    if (!actionsOf(pod).includes(action)) {
      const why = pod.locked && (action === 'stop' || action === 'restart') ? 'pod is locked' : `pod is ${pod.status}`;
      throw conflict(`action ${action} is not valid: ${why}`);
    }
    if (actor === 'user' && this.world.settings.ignoredActions.includes(action)) return;
    switch (action) {
      case 'start':
        return this.#start(pod);
      case 'stop':
        return this.#stop(pod, actor);
      case 'restart':
        return this.restart(pod);
      case 'terminate':
        return this.#terminate(pod);
    }
  }

  /** Restarts the container in place, whatever the pod's lock says. */
  restart(pod: Pod): void {
    const run = pod.run;
    if (run?.machine === undefined) return;
    const machine = run.machine;
    const silent = this.world.settings.silentRestarts;
    if (!silent) {
      this.#setStatus(pod, 'STARTING');
      pod.log.write('system', 'restart container');
    }
    this.#phases(pod, run, async () => {
      await this.#wait(run, this.world.settings.timings.startMs);
      run.ports.get(22)?.target(undefined, 22);
      if (!silent) pod.startedAt = this.#startNow(pod);
      run.runningSince = this.world.clock.now();
      await machine.restart();
      this.#check(run);
      this.#expose(run, machine);
      this.#setStatus(pod, 'RUNNING');
    });
  }

  /** Gives a running pod the ports that its changed configuration asks for. */
  async remapPorts(pod: Pod): Promise<void> {
    const run = pod.run;
    if (run?.machine === undefined) return;
    await this.#openPorts(pod, run);
    this.#expose(run, run.machine);
  }

  /** The host gives the pod up. */
  fail(pod: Pod, reason: string): void {
    const { run } = pod;
    pod.log.write('system', `error: ${reason}`);
    pod.run = undefined;
    this.#end(pod, run);
    this.#setStatus(pod, 'ERROR');
  }

  /** Leads the pod's SSH address to another tenant's sshd; same address, other host key. */
  async answerAsStranger(pod: Pod): Promise<void> {
    pod.run?.ports.get(22)?.target(await this.#strangerMachine(), 22);
    pod.run?.ports.get(22)?.cut();
  }

  /** Leads the pod's SSH address to its own machine again. */
  answerAgain(pod: Pod): void {
    pod.run?.ports.get(22)?.target(pod.run.machine, 22);
    pod.run?.ports.get(22)?.cut();
  }

  /** Ends everything, without billing or logging it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const over of [...this.#graces]) over();
    this.meter.dispose();
    const pods = [...this.world.pods.values()];
    for (const pod of pods) pod.run?.abort.abort();
    await Promise.allSettled(pods.map((pod) => this.#tearDown(pod.run)));
    await Promise.allSettled([...this.#endings, ...[...this.#formerPorts.values()].map((port) => port.close())]);
    await this.#stranger?.then((machine) => machine.stop()).catch(() => undefined);
  }

  #start(pod: Pod): void {
    const { startGpu } = this.world.settings;
    if (pod.gpu !== undefined && startGpu === 'refuse-400') throw badRequest(NO_FREE_GPU);
    if (pod.gpu !== undefined && startGpu === 'refuse-409') throw conflict(NO_FREE_GPU);
    checkBalance(this.meter.balance, pod.rate + diskRate({ ...pod, status: 'RUNNING' }));
    pod.gpusFound = startGpu === 'absent' || startGpu === 'zero' ? 0 : (pod.gpu?.count ?? 0);
    pod.lastStatusChange = `Resumed by User: ${this.#date()}`;
    this.#boot(pod, 'again');
  }

  #stop(pod: Pod, actor: Actor): void {
    const run = pod.run;
    pod.log.write('system', `stop container ${pod.image}`);
    this.#setStatus(pod, 'EXITED');
    pod.lastStatusChange = `Exited by ${actor}: ${this.#date()}`;
    pod.run = undefined;
    this.#rememberAddress(pod, run);
    this.#end(pod, run);
    pod.log.write('system', 'remove container');
  }

  #terminate(pod: Pod): void {
    const run = pod.run;
    this.meter.settle();
    pod.status = 'TERMINATED';
    pod.run = undefined;
    this.world.pods.delete(pod.id);
    this.meter.plan();
    pod.log.clear();
    this.#end(pod, run);
    void this.#formerPorts.get(pod.id)?.close();
    this.#formerPorts.delete(pod.id);
    this.#setEnding(pod, pod.ending.then(() => rm(this.#podDir(pod), { recursive: true, force: true })));
  }

  #end(pod: Pod, run: Run | undefined): void {
    run?.abort.abort();
    this.#setEnding(pod, Promise.allSettled([pod.ending, this.#grace(run).then(() => this.#tearDown(run))]));
  }

  /** The simulator waits for what still ends, also of pods that are gone. */
  #setEnding(pod: Pod, work: Promise<unknown>): void {
    const ending = work.then(() => undefined, () => undefined).finally(() => this.#endings.delete(ending));
    pod.ending = ending;
    this.#endings.add(ending);
  }

  /** What runs hears the answer to its own stop before it dies. */
  #grace(run: Run | undefined): Promise<void> {
    if (run?.machine === undefined || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        alarm.dispose();
        this.#graces.delete(over);
        resolve();
      };
      const alarm = this.world.clock.after(this.world.settings.timings.stopMs, over);
      this.#graces.add(over);
    });
  }

  async #tearDown(run: Run | undefined): Promise<void> {
    if (run === undefined) return;
    for (const [privatePort, port] of run.ports) {
      port.target(undefined, privatePort);
      port.cut();
    }
    const kept = new Set(this.#formerPorts.values());
    await run.machine?.stop();
    await Promise.allSettled([...run.ports.values()].filter((port) => !kept.has(port)).map((port) => port.close()));
  }

  /** Keeps the address of the start that ends: the API tells it for a moment after the next one. */
  #rememberAddress(pod: Pod, run: Run | undefined): void {
    const port = run?.proxyOnly === true ? undefined : run?.ports.get(22);
    if (port === undefined) return;
    void this.#formerPorts.get(pod.id)?.close();
    this.#formerPorts.set(pod.id, port);
  }

  #newRun(pod: Pod): Run {
    const run: Run = {
      abort: new AbortController(),
      ports: new Map(),
      proxyOnly: this.world.settings.proxyOnly,
      machine: undefined,
      runningSince: undefined,
      directFrom: Infinity,
      sshListens: false,
    };
    pod.run = run;
    return run;
  }

  #boot(pod: Pod, which: 'new' | 'again'): void {
    const { timings } = this.world.settings;
    const run = this.#newRun(pod);
    const former = this.#formerPorts.get(pod.id);
    pod.formerAddress = former === undefined || run.proxyOnly ? undefined : addressOf(former);
    if (former !== undefined && this.world.settings.oldPortAnswersForStranger)
      void this.#strangerMachine().then((machine) => former.target(machine, 22), () => undefined);
    this.#setStatus(pod, which === 'new' ? 'PROVISIONING' : 'STARTING');
    this.#phases(pod, run, async () => {
      if (which === 'new') {
        pod.log.write('system', `create pod on machine in ${pod.dataCenterId}`);
        await this.#wait(run, timings.provisioningMs);
        this.#setStatus(pod, 'STARTING');
      }
      const early = this.world.settings.runningFrom === 'placement';
      if (early) await this.#placed(pod, run);
      await this.#pull(pod, run, which);
      await this.#meetDriver(pod, run);
      await this.#up(pod, run, {
        startedAt: early ? (pod.startedAt ?? undefined) : undefined,
        runningSince: undefined,
        sshDelayMs: this.world.clock.toWall(timings.sshDelayMs),
        directDelayMs: timings.directDelayMs,
      });
    });
  }

  /** RUNNING, with its address, from here on, though nothing runs yet. */
  async #placed(pod: Pod, run: Run): Promise<void> {
    await pod.ending;
    await this.#openPorts(pod, run);
    pod.startedAt = this.#startNow(pod);
    run.directFrom = this.world.clock.now() + this.world.settings.timings.directDelayMs;
    this.#setStatus(pod, 'RUNNING');
  }

  /** An image built for a newer CUDA than the machine's driver knows never starts there; the host tries on and on. */
  async #meetDriver(pod: Pod, run: Run): Promise<void> {
    const wanted = cudaOfImage(pod.image);
    if (pod.gpu === undefined || pod.cudaVersion === null || wanted === undefined || Number(wanted) <= Number(pod.cudaVersion)) return;
    for (;;) {
      pod.log.write('system', `start container for ${pod.image}: begin`);
      pod.log.write('system', `error starting container: Error response from daemon: nvidia-container-cli: requirement error: unsatisfied condition: cuda>=${wanted}, please update your driver to a newer version, or use an earlier cuda container: unknown`);
      await this.#wait(run, Math.max(1000, this.world.settings.timings.startMs));
    }
  }

  async #pull(pod: Pod, run: Run, which: 'new' | 'again'): Promise<void> {
    const { timings } = this.world.settings;
    const total = which === 'new' ? timings.pullMs : timings.startMs;
    for (let attempt = 1; pod.image.includes('does-not-exist'); attempt++) {
      pod.log.write('system', `error pulling image: Error response from daemon: pull access denied for ${pod.image}, repository does not exist (attempt ${attempt})`);
      await this.#wait(run, Math.max(1000, total));
    }
    const lines = pullLines(pod.image, which === 'new');
    for (const line of lines) {
      pod.log.write('system', line);
      await this.#wait(run, total / lines.length);
    }
  }

  /** Starts the machine and shows the pod as RUNNING. */
  async #up(pod: Pod, run: Run, how: { startedAt: number | undefined; runningSince: number | undefined; sshDelayMs: number; directDelayMs: number }): Promise<void> {
    await pod.ending;
    this.#check(run);
    await this.#openPorts(pod, run);
    pod.startedAt = how.startedAt ?? this.#startNow(pod);
    pod.log.write('system', `start container for ${pod.image}: begin`);
    const spec = machineSpec(this.world, pod, run, { volumeDir: await this.volumeDir(pod), apiPort: this.apiPort(), sshDelayMs: how.sshDelayMs });
    const machine = await this.host.start(spec, (source, line) => {
      if (pod.run === run) pod.log.write(source, line);
    });
    if (run.abort.signal.aborted) {
      await machine.stop();
      throw new RunEnded();
    }
    run.machine = machine;
    if (machine.mountPath !== undefined) pod.realMountPath = machine.mountPath;
    this.#expose(run, machine);
    const now = this.world.clock.now();
    run.runningSince = how.runningSince ?? now;
    run.directFrom = Math.min(run.directFrom, now + how.directDelayMs);
    this.#setStatus(pod, 'RUNNING');
    if (pod.formerAddress === undefined) return;
    this.world.clock.after(this.world.settings.timings.oldPortMs, () => {
      if (pod.run === run) pod.formerAddress = undefined;
    });
  }

  #expose(run: Run, machine: Machine): void {
    if (!(this.host instanceof PaperHost)) expose(run, machine);
  }

  async #openPorts(pod: Pod, run: Run): Promise<void> {
    const wanted = run.proxyOnly ? [] : tcpPorts(pod);
    for (const privatePort of wanted)
      if (!run.ports.has(privatePort)) run.ports.set(privatePort, await openPublicPort({ link: this.world.settings.link }));
    this.#check(run, () => this.#tearDown(run));
  }

  /** Where the pod's volume lies on this computer; made at first need. */
  async volumeDir(pod: Pod): Promise<string | undefined> {
    const network = pod.mounts.network?.[0];
    if (network === undefined && pod.mounts.persistent === undefined) return undefined;
    const dir = network === undefined ? join(this.#podDir(pod), 'volume') : this.networkVolumeDir(network.volumeId);
    await mkdir(dir, { recursive: true });
    return dir;
  }

  networkVolumeDir(volumeId: string): string {
    return join(this.stateDir, 'network-volumes', volumeId);
  }

  /** RunPod ends what runs when the credit is gone: network volumes keep the data, everything else is lost. */
  #endForWantOfMoney(): void {
    for (const pod of [...this.world.pods.values()].filter(isBilled)) {
      if (pod.mounts.network?.[0] === undefined) this.#terminate(pod);
      else this.#stop(pod, 'Runpod');
    }
  }

  /** Another tenant on the same host, made at first need. */
  #strangerMachine(): Promise<Machine> {
    return (this.#stranger ??= this.host.start(strangerSpec(this.world, this.apiPort()), () => undefined));
  }

  #podDir(pod: Pod): string {
    return join(this.stateDir, 'pods', pod.id);
  }

  #setStatus(pod: Pod, status: PodStatus): void {
    this.meter.settle();
    pod.status = status;
    this.meter.plan();
  }

  #phases(pod: Pod, run: Run, phases: () => Promise<void>): void {
    phases().catch((error: unknown) => {
      if (error instanceof RunEnded || run.abort.signal.aborted || this.#closed) return;
      this.fail(pod, `starting container: ${error instanceof Problem ? error.detail : messageOf(error)}`);
    });
  }

  #wait(run: Run, podMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (run.abort.signal.aborted) return reject(new RunEnded());
      const onAbort = (): void => {
        alarm.dispose();
        reject(new RunEnded());
      };
      const alarm = this.world.clock.after(podMs, () => {
        run.abort.signal.removeEventListener('abort', onAbort);
        resolve();
      });
      run.abort.signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The API tells whole seconds, and no pod starts twice in one. */
  #startNow(pod: Pod): number {
    const second = (at: number): number => Math.floor(at / 1000) * 1000;
    return Math.max(this.world.clock.now(), pod.startedAt === null ? 0 : second(pod.startedAt) + 1000);
  }

  #check(run: Run, undo?: () => Promise<void>): void {
    if (!run.abort.signal.aborted) return;
    void undo?.();
    throw new RunEnded();
  }

  #date(): string {
    return new Date(this.world.clock.now()).toString();
  }
}

const addressOf = (port: PublicPort): Address => ({ host: port.host, port: port.port });
