import type { Pod } from '../runpod/types';

/** How busy a pod was at one moment, in percent; what RunPod did not say is undefined. */
export interface UseSample {
  /** ms since 1970. */
  readonly at: number;
  /** The mean over its GPUs. */
  readonly gpu: number | undefined;
  readonly gpuMemory: number | undefined;
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
}

/** At one list every 15 to 20 s, an hour and more. */
const KEPT = 240;

/** What the lists of this window have told about the pods' use, the last hour or so of it. */
export class UseHistory {
  readonly #pods = new Map<string, UseSample[]>();

  /** Takes what a list says; pods that do not run are forgotten at their next start, those that are gone at once. */
  add(pods: readonly Pod[], at: number): void {
    const listed = new Set(pods.map((pod) => pod.id));
    for (const id of this.#pods.keys()) if (!listed.has(id)) this.#pods.delete(id);
    for (const pod of pods) {
      if (pod.status !== 'RUNNING' || !pod.runtime) continue;
      const { gpus, cpuUtil, memoryUtil } = pod.runtime;
      const sample = { at, gpu: mean(gpus.map((g) => g.util)), gpuMemory: mean(gpus.map((g) => g.memoryUtil)), cpu: cpuUtil, memory: memoryUtil };
      if (sample.gpu === undefined && sample.gpuMemory === undefined && sample.cpu === undefined && sample.memory === undefined) continue;
      const before = (this.#pods.get(pod.id) ?? []).filter((s) => pod.startedAt === undefined || s.at >= pod.startedAt.getTime());
      // Two changes of one list are one look.
      if (at - (before.at(-1)?.at ?? 0) < 1000) continue;
      this.#pods.set(pod.id, [...before, sample].slice(-KEPT));
    }
  }

  of(podId: string): readonly UseSample[] {
    return this.#pods.get(podId) ?? [];
  }

  get podIds(): readonly string[] {
    return [...this.#pods.keys()];
  }
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((v) => v !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, v) => sum + v, 0) / known.length;
}
