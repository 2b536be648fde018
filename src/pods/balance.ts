import type { Account, Pod } from '../runpod/types';
import { burnOf } from './money';

/** What a person typed in where RunPod tells no balance: credit that is left, or what they want to spend at most. */
export interface TypedBalance {
  readonly kind: 'balance' | 'budget';
  readonly usd: number;
  /** ms since 1970. */
  readonly at: number;
}

/** The account as last told, at a moment; `typed` when the balance is a person's figure minus what was counted since. */
export type KnownAccount = Account & { readonly at: number; readonly typed?: TypedBalance };

/**
 * The account by the person's own figure: what is left of it at `now`, falling at the pods' present rates. Storage of
 * network volumes and what runs besides pods are not known here, so it may end sooner.
 * @param spentSince USD counted since `typed.at`
 */
export function typedAccount(typed: TypedBalance, spentSince: number, pods: readonly Pod[], now: number): KnownAccount {
  const { computePerHour, storagePerHour } = burnOf(pods);
  return { balance: typed.usd - spentSince, spendPerHour: computePerHour + storagePerHour, at: now, typed };
}

/** RunPod's word where it has given one since the person typed theirs. */
export function newerAccount(told: KnownAccount | undefined, typed: KnownAccount | undefined): KnownAccount | undefined {
  if (!typed?.typed) return told;
  if (told?.balance === undefined) return { ...typed, ...(told?.spendPerHour === undefined ? {} : { spendPerHour: told.spendPerHour }) };
  return told.at >= typed.typed.at ? told : typed;
}
