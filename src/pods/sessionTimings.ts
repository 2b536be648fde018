import { defaultReachTimings, type ReachTimings } from './reach';

export interface SessionTimings extends ReachTimings {
  /** Pauses between looks while a fresh pod's address settles: the first and the longest. */
  readonly retryMs: number;
  readonly retryCapMs: number;
  /** Attempts for one caller at a pod that does not answer, where no fresh start explains it. */
  readonly attempts: number;
  /** Pauses between attempts nobody asked for, while something is held open. */
  readonly comeBackMs: number;
  readonly comeBackCapMs: number;
  /** The longest pause in a window that nobody looks at: an attempt asks the API up to `attempts` times. */
  readonly comeBackUnwatchedCapMs: number;
  /** After a failure the same answer is given for so long without asking anybody. */
  readonly coolDownMs: number;
}

export const defaultSessionTimings: SessionTimings = {
  ...defaultReachTimings,
  retryMs: 500,
  retryCapMs: 5_000,
  attempts: 3,
  comeBackMs: 1_000,
  comeBackCapMs: 30_000,
  comeBackUnwatchedCapMs: 300_000,
  coolDownMs: 3_000,
};
