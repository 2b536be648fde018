import { randomUUID } from 'node:crypto';
import { quote } from '../../base/shell';
import type { RunOptions, RunResult } from '../../ssh/sessions';
import { urlWords, type GuardUrls } from './args';
import { COMPACT_GUARD_SCRIPT, GUARD_VERSION } from './script';
import { isHopeless } from './standing';
import { wishWords, type GuardWish } from './wish';
import { readReport, type GuardReport } from './word';

/** What carries a command to the pod. */
export interface GuardHost {
  run(command: string, options?: RunOptions): Promise<RunResult>;
}

export interface GuardedPod {
  readonly id: string;
  /** The path that the pod's volume has on the pod. */
  readonly mountPath?: string | undefined;
}

/** What a guard is told to do. Times are seconds. */
export interface GuardOrder {
  /** Limits from now on. A value of 0 ends that rule. */
  readonly wish?: GuardWish;
  /** Whether the time limit of `wish` counts from the pod's start or from now; from its start unless told. */
  readonly from?: 'start' | 'now';
  /** Only where nothing has been planned for this pod before. */
  readonly fresh?: boolean;
  /** Moves the end of this start; negative brings it nearer. */
  readonly extendSeconds?: number;
  /** Nothing ends this start; the next one has its limits again. */
  readonly lift?: boolean;
  /** The pod is in use: the time without use begins again. */
  readonly used?: boolean;
  /** A restart is coming that is to count as the same start. */
  readonly carry?: boolean;
}

/** How long the pod has for it all: the script answers within `SETTLE_S`, sooner when the guard has heard and is armed. */
const DEADLINE_MS = 45_000;
const SETTLE_S = 20;

function orderWords(order: GuardOrder): string[] {
  return [
    ...(order.fresh ? ['fresh=1'] : []),
    ...(order.wish ? [...(order.from ? [`from=${order.from}`] : []), ...wishWords(order.wish)] : []),
    ...(order.extendSeconds === undefined ? [] : [`extend=${Math.round(order.extendSeconds)}`]),
    ...(order.lift ? ['lift=1'] : []),
    ...(order.used ? ['used=1'] : []),
    ...(order.carry ? ['carry=1'] : []),
  ];
}

const places = (podId: string): string => ['/tmp', '/dev/shm'].map((base) => quote(`${base}/.runpod-workspaces/${podId}/guard`)).join(' ');
const underSh = (script: string): string => `exec sh -c ${quote(script)}`;

/** What the guard in the pod's container says, without touching it. @throws GuardSilentError, and what `host` throws */
export async function readGuard(host: GuardHost, pod: GuardedPod, signal?: AbortSignal): Promise<GuardReport> {
  const words = [`pod=${pod.id}`, ...(pod.mountPath === undefined ? [] : [`mount=${pod.mountPath}`])].map(quote).join(' ');
  const plan = pod.mountPath === undefined ? '' : `[ ! -f ${quote(planPath(pod))} ] || while IFS= read -r l; do echo "plan.$l"; done <${quote(planPath(pod))}; `;
  const command = `for d in ${places(pod.id)}; do [ ! -f "$d/guard.sh" ] || exec sh "$d/guard.sh" word ${words}; done; ${started()}${plan}echo said=1`;
  return ask(host, underSh(command), { deadlineMs: DEADLINE_MS, signal });

  /** A guard that came with the container lies where its start command put it. */
  function started(): string {
    return `[ ! -f /tmp/.runpod-workspaces/guard.sh ] || exec sh /tmp/.runpod-workspaces/guard.sh word ${words}; `;
  }
}

const planPath = (pod: GuardedPod): string => `${(pod.mountPath ?? '').replace(/\/+$/, '')}/.runpod-workspaces/${pod.id}/guard/plan`;

/**
 * Sees to it that a guard lives on the pod and hands it an order; resolves when it has taken it and knows whether it may stop
 * the pod, or with what it says by then.
 * @param options.replace ends the guard that lives first: it is of another version
 * @throws GuardSilentError when the pod cannot hold a guard; what `host` throws
 */
export async function armGuard(host: GuardHost, pod: GuardedPod, urls: GuardUrls, order: GuardOrder, options: { readonly replace?: boolean; readonly signal?: AbortSignal } = {}): Promise<GuardReport> {
  const words = [
    `pod=${pod.id}`,
    ...(pod.mountPath === undefined ? [] : [`mount=${pod.mountPath}`]),
    ...urlWords(urls),
    `revision=${randomUUID()}`,
    `wait=${SETTLE_S}`,
    ...(options.replace ? ['replace=1'] : []),
    ...orderWords(order),
  ];
  const command = `umask 022; for d in ${places(pod.id)}; do mkdir -p "$d" && cat >"$d/guard.sh.$$" && mv -f "$d/guard.sh.$$" "$d/guard.sh" && exec sh "$d/guard.sh" arm ${words.map(quote).join(' ')}; done; exit 1`;
  return ask(host, underSh(command), { deadlineMs: DEADLINE_MS, signal: options.signal, input: COMPACT_GUARD_SCRIPT });
}

/** Notes on the pod that a person uses it now: a terminal is typed in, a file goes over. Costs the guard nothing. */
export async function noteUse(host: GuardHost, podId: string): Promise<void> {
  await host.run(underSh(`for d in ${places(podId)}; do [ ! -d "$d" ] || { read -r u r </proc/uptime && echo "$u" >"$d/used"; }; done`), { deadlineMs: 15_000 });
}

async function ask(host: GuardHost, command: string, options: RunOptions): Promise<GuardReport> {
  const { stdout } = await host.run(command, { maxBytes: 64 * 1024, ...options });
  return readReport(stdout.toString('utf8'));
}

/** After so many seconds it is worth another look whether a guard could work there: somebody may have installed curl. */
const HOPELESS_S = 900;

/** Whether there is nothing to do: a guard of this version lives, or one has just found that none can. */
export function isCurrent({ word }: GuardReport): boolean {
  if (word?.version !== GUARD_VERSION) return false;
  return word.alive || (isHopeless(word) && word.ageSeconds < HOPELESS_S);
}
