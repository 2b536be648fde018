import { l10n } from 'vscode';
import type { KnownAccount } from '../pods/balance';
import { localTime, longTime, money } from './words';

/** A told balance is asked for every minute or five; one that is older than this is not today's news. */
const OLD_MS = 10 * 60_000;

/** What is left, and how much that figure is worth: whose it is, how old, and what has been taken off it. */
export function balanceWords(account: KnownAccount | undefined, now: number): string[] {
  if (account?.balance === undefined) return [l10n.t('Balance: unknown; this key cannot read it')];
  const { typed, balance } = account;
  if (!typed) {
    const age = now - account.at;
    return [age > OLD_MS ? l10n.t('Balance: {0}, as of {1} ago', money(balance), longTime(age)) : l10n.t('Balance: {0}', money(balance))];
  }
  const left = money(balance, { estimate: true });
  const spent = money(typed.usd - balance, { estimate: true });
  const when = localTime(typed.at);
  const ago = longTime(now - typed.at);
  return typed.kind === 'budget'
    ? [l10n.t('Left of your budget: {0}. You set {1} {2} ago ({3}); {4} was counted here since', left, money(typed.usd), ago, when, spent)]
    : [l10n.t('Balance by your own figure: {0}. You typed {1} {2} ago ({3}); {4} was counted here since', left, money(typed.usd), ago, when, spent)];
}
