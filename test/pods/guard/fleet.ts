import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { sleep } from '../../../src/base/time';
import { GUARD_SCRIPT } from '../../../src/pods/guard/script';
import { startSimulator, type Simulator } from '../../simulator/simulator';
import { killed } from '../../support/kill';

export interface FleetOptions {
  readonly pods: number;
  /** Pod time per wall time. */
  readonly speed: number;
  /** The shortest and the longest limit, seconds of pod time; the others lie evenly between. */
  readonly limits: readonly [number, number];
  /** Stretches in which the API cannot be had, seconds of pod time from the beginning. */
  readonly cuts: readonly { readonly from: number; readonly to: number; readonly how: 'reset' | 'hang' | 503 }[];
}

export interface FleetOutcome {
  readonly pod: string;
  /** Stops that were carried out. */
  readonly stops: number;
  /** Seconds of pod time from the deadline to the stop; negative when it came too soon. */
  readonly afterDeadline: number;
  /** Seconds of pod time from the later of the deadline and the API's return. */
  readonly late: number;
}

interface Member {
  readonly id: string;
  readonly key: string;
  deadline: number;
  guard?: ChildProcess;
  stops: number;
  stoppedAt: number | undefined;
}

const SHELLS = ['dash', 'bash', 'busybox sh'] as const;

/**
 * Pods with a guard each, a real process that is told nothing of the test, and an API that answers 5xx to a third of the calls
 * (before or after the work is done) and is cut for stretches. Nobody else looks after the pods.
 */
export async function runFleet(options: FleetOptions): Promise<{ readonly outcomes: FleetOutcome[]; readonly calls: number }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'runpod-fleet-'));
  const simulator = await startSimulator({ empty: true, mode: 'none', speed: options.speed, balance: 1_000_000, settings: { timings: { provisioningMs: 0, pullMs: 0, startMs: 0, directDelayMs: 0, oldPortMs: 0, sshDelayMs: 0 } } });
  const members = new Map<string, Member>();
  const began = simulator.clock.now();
  const door = await openDoor(simulator, members, () => options.cuts.find((cut) => inside(cut, (simulator.clock.now() - began) / 1000))?.how);
  try {
    await writeFile(path.join(dir, 'guard.sh'), GUARD_SCRIPT);
    await writeFile(path.join(dir, 'environ'), '');
    for (let i = 0; i < options.pods; i++) {
      const limit = Math.round(options.limits[0] + ((options.limits[1] - options.limits[0]) * i) / Math.max(1, options.pods - 1));
      const member = await addPod(simulator, members, limit);
      await startGuard(dir, member, limit, door.port, SHELLS[i % SHELLS.length] ?? 'sh');
    }
    const last = Math.max(...[...members.values()].map((m) => m.deadline), ...options.cuts.map((cut) => began + cut.to * 1000));
    while ([...members.values()].some((m) => m.stoppedAt === undefined) && simulator.clock.now() < last + 180_000) await sleep(50);
    // A second stop would come now.
    await sleep(20_000 / options.speed);
    return { outcomes: [...members.values()].map((m) => judge(m, began, options)), calls: door.calls() };
  } finally {
    for (const { guard } of members.values()) end(guard);
    await door.close();
    await simulator.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Fleets one after the other, each at a slower pace, until nobody is late. What a busy machine takes from the guards counts ten
 * times where time runs ten times as fast: who is late for that is not where it runs slower, who is late by himself is there
 * as well. Too soon or twice is wrong in any.
 */
export async function stopInTime(fleets: readonly FleetOptions[], say: (line: string) => void = () => undefined): Promise<void> {
  for (const [i, fleet] of fleets.entries()) {
    const { outcomes, calls } = await runFleet(fleet);
    const late = outcomes.map((o) => o.late).sort((a, b) => a - b);
    say(`${calls} calls; late by ${[0.5, 0.95, 1].map((q) => `${late[Math.ceil(q * late.length) - 1]?.toFixed(1)} s`).join(' / ')} (half, 95 %, all)`);
    assert.equal(outcomes.length, fleet.pods);
    assert.deepEqual(outcomes.filter((o) => o.stops !== 1 || o.afterDeadline < 0), []);
    const tooLate = outcomes.filter((o) => o.late > 60);
    if (tooLate.length === 0) return;
    if (i === fleets.length - 1) assert.deepEqual(tooLate, []);
  }
}

async function addPod(simulator: Simulator, members: Map<string, Member>, limit: number): Promise<Member> {
  const response = await fetch(`${simulator.restUrl}/pods`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.apiKey}`, 'content-type': 'application/json', 'user-agent': 'tests/1' },
    body: JSON.stringify({ name: `fleet-${members.size + 1}`, image: 'runpod/base:1.0.2-ubuntu2204', cpu: { id: 'cpu3c', vcpuCount: 2 }, disk: 5 }),
  });
  const { id } = (await response.json()) as { id: string };
  const pod = await simulator.until(id, 'RUNNING');
  const member: Member = { id, key: pod.key, deadline: Math.floor((pod.startedAt ?? 0) / 1000) * 1000 + limit * 1000, stops: 0, stoppedAt: undefined };
  members.set(id, member);
  return member;
}

async function startGuard(dir: string, member: Member, limit: number, port: number, shell: string): Promise<void> {
  const run = path.join(dir, '.runpod-workspaces', member.id, 'guard');
  await mkdir(path.join(run, 'orders'), { recursive: true });
  await writeFile(path.join(run, 'orders', 'made'), `limit=${limit}\n`);
  const [file = 'sh', ...rest] = shell.split(' ');
  const env = { PATH: process.env['PATH'] ?? '', RUNPOD_POD_ID: member.id, RUNPOD_API_KEY: member.key, RUNPOD_WORKSPACES_RUN: dir, RUNPOD_WORKSPACES_ENVIRON: path.join(dir, 'environ') };
  member.guard = spawn(file, [...rest, path.join(dir, 'guard.sh'), 'run', `pod=${member.id}`, `api=http://127.0.0.1:${port}/v2`, `graphql=http://127.0.0.1:${port}/graphql`], { env, stdio: 'ignore', detached: true });
}

/** A container's end. */
function end(guard: ChildProcess | undefined): void {
  if (guard?.pid !== undefined) killed(-guard.pid);
}

const inside = (cut: { readonly from: number; readonly to: number }, at: number): boolean => at >= cut.from && at < cut.to;

function judge(member: Member, began: number, options: FleetOptions): FleetOutcome {
  const stopped = member.stoppedAt ?? Infinity;
  // A cut that began within the minute that the guard had counts as well.
  const cut = options.cuts.find((c) => inside({ from: c.from - 60, to: c.to }, (member.deadline - began) / 1000) && stopped >= began + c.from * 1000);
  const due = cut === undefined ? member.deadline : began + cut.to * 1000;
  return { pod: member.id, stops: member.stops, afterDeadline: (stopped - member.deadline) / 1000, late: (stopped - due) / 1000 };
}

/** The way to the simulator, on which answers and requests get lost. */
async function openDoor(simulator: Simulator, members: Map<string, Member>, cut: () => 'reset' | 'hang' | 503 | undefined): Promise<{ port: number; calls: () => number; close: () => Promise<void> }> {
  let calls = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    calls++;
    const how = cut();
    if (how === 'hang') return;
    if (how === 'reset') return void request.socket.destroy();
    if (how === 503) return fail(response);
    // A third fails: half of them before anything is done, half after it.
    const dice = Math.random() * 6;
    if (dice < 1) return fail(response);
    void forward(request, response, dice < 2);
  });
  const forward = async (request: IncomingMessage, response: ServerResponse, loseAnswer: boolean): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const at = simulator.clock.now();
    const inner = ask(`${simulator.origin}${request.url}`, { method: request.method, headers: request.headers }, (answer) => {
      const member = members.get(request.url?.split('/')[3] ?? '');
      if (member && answer.statusCode === 200 && body.toString().includes('"stop"')) {
        member.stops++;
        member.stoppedAt ??= at;
        // The answer may be the last thing that the guard sees, as in a container that is being stopped.
        setTimeout(() => end(member.guard), 20_000 / simulator.clock.speed);
      }
      if (loseAnswer) {
        answer.resume();
        return fail(response);
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    inner.on('error', () => fail(response));
    inner.end(body);
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    calls: () => calls,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function fail(response: ServerResponse): void {
  response.writeHead(503, { 'Content-Type': 'application/problem+json' }).end('{"title":"Unavailable","status":503,"detail":"upstream failure"}');
}
