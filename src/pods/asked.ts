import type { GuardWish } from './guard/wish';
import type { ProfileRef } from './watch';
import type { CreatePodRequest } from '../runpod/types';

/** One computer to ask for, with the words a person knows it by. */
export interface Asked {
  readonly request: CreatePodRequest;
  readonly label: string;
  /** USD per hour of compute; undefined when RunPod does not say. */
  readonly perHour: number | undefined;
  /** USD per hour of compute that the person wants to pay at most, where they have said so. */
  readonly cap?: number;
  /** When the pod ends by itself. */
  readonly limits?: GuardWish;
  /** The profile it comes from. */
  readonly profile?: ProfileRef;
}
