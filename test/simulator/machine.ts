import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';

/**
 * The seam between RunPod's API (fleet, prices, life cycle) and the computer a pod runs on (processes, disks, ports).
 * The API side decides when a pod lives; the machine side makes it live.
 */

/** Which conventions the pod's image follows. */
export type ImageKind =
  /** RunPod's own images: `/start.sh` is the command, prints host-key fingerprints, starts sshd when `PUBLIC_KEY` is set. */
  | 'official'
  /** Has an `ENTRYPOINT` that swallows `args`; sshd runs under it. */
  | 'entrypoint'
  /** Never starts sshd; the port mapping exists all the same. */
  | 'no-sshd'
  /** Starts sshd, prints no fingerprints. */
  | 'no-fingerprints'
  /** Only BusyBox tools on the PATH (no bash, python3, GNU coreutils). */
  | 'busybox';

export interface MachineSpec {
  readonly id: string;
  readonly hostname: string;
  readonly image: ImageKind;
  /** The stored start command; empty runs the image's own `/start.sh`. */
  readonly args: string;
  /** The pod's environment as PID 1 sees it, the platform's variables included. */
  readonly env: Readonly<Record<string, string>>;
  /** Where `/workspace` (or what the mount path says) lies on this computer; outlives every start. `undefined`: no mount. */
  readonly volumeDir: string | undefined;
  readonly mountPath: string | undefined;
  /** A network volume: `df` inside the pod shows the pool. */
  readonly networkVolume: boolean;
  readonly gpuCount: number;
  readonly gpuName: string;
  readonly vcpuCount: number;
  readonly memoryGb: number;
  /** The API's port on loopback; reachable under the same address from inside the pod's own network. */
  readonly apiPort: number;
  /** Pod-time milliseconds before sshd listens once the container runs. */
  readonly sshDelayMs: number;
  /** Lines printed after the fingerprints (thousands push them out of a short tail). */
  readonly chatterLines: number;
  /** Bytes the volume may hold before writes fail with ENOSPC; `undefined`: as much as the disk has. */
  readonly volumeQuotaBytes: number | undefined;
}

export type LogSource = 'container' | 'system';

/** One start of a pod: a process tree with its own mounts, host name, processes and network, that dies with us. */
export interface Machine {
  /** PID 1's restarts so far (the platform restarts a start command that ends). */
  readonly restarts: number;
  /** What a client must use as the mount path: the spec's, or the folder's real path where namespaces are refused. */
  readonly mountPath: string | undefined;
  /** Stream to a TCP port inside the pod; rejects when nothing listens there. */
  connect(privatePort: number): Promise<Duplex>;
  /** Runs a command inside the pod as root, as the platform's own agent would (for tests and the proxy shell). */
  exec(argv: readonly string[], options?: { env?: Record<string, string> }): ChildProcess;
  /** Restarts the container in place: container disk wiped, volume kept. */
  restart(): Promise<void>;
  /** Kills everything and wipes the container disk; resolves when no process and no mount is left. */
  stop(): Promise<void>;
}

export interface MachineHost {
  /** `full`: namespaces and overlay; `plain`: sshd alone, the folder's real path as mount path. */
  readonly mode: 'full' | 'plain';
  /** @param log receives each line that PID 1 prints. */
  start(spec: MachineSpec, log: (source: LogSource, line: string) => void): Promise<Machine>;
  dispose(): Promise<void>;
}

/** How a link behaves. Delays hold each chunk for half the round trip each way, order kept. */
export interface LinkShape {
  readonly rttMs?: number;
  readonly bytesPerSecond?: number;
  /** Cut every connection once this many bytes have gone to the pod / come from it. */
  readonly cutAfterBytesUp?: number;
  readonly cutAfterBytesDown?: number;
  /** `refuse`: no listener answers; `blackhole`: connections open and nothing comes back; `stall`: existing ones freeze too. */
  readonly fault?: 'refuse' | 'blackhole' | 'stall';
}

/** A public TCP port of the simulated data center, on loopback. */
export interface PublicPort {
  readonly host: string;
  readonly port: number;
  /** Connections, chunks and bytes each way since the start, for tests that count. */
  readonly counts: { readonly connections: number; readonly bytesUp: number; readonly bytesDown: number; readonly flightsUp: number };
  /** Where connections go; `undefined` refuses them. Another pod's machine makes an old port answer for a stranger. */
  target(machine: Machine | undefined, privatePort: number): void;
  shape(link: LinkShape): void;
  /** Ends every open connection now; the port goes on listening. */
  cut(): void;
  close(): Promise<void>;
}
