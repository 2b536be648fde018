import { l10n, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { TypedBalance } from '../../pods/balance';
import type { Parts } from '../parts';
import type { Spending } from '../spending';
import { longTime, money } from '../words';
import { isRow } from '../podsView/nodes';
import { choices, command } from './command';
import { ask } from '../prompts/ask';

/**
 * `runpod.setBalance(usd, {kind?, forget?})`: the person's own figure where the key cannot read the balance, or a budget.
 * RunPod's own balance takes over as soon as it is told.
 */
export function registerSetBalance(parts: Parts, spending: Spending): Disposable {
  return command('runpod.setBalance', parts.log, async (amount, options) => {
    const { kind, forget } = choices(options) ?? {};
    if (forget === true) return spending.setTyped(undefined);
    // A title icon hands over the row that has the focus.
    const figure = amount === undefined || (typeof amount === 'object' && amount !== null && isRow(amount)) ? await askFigure(spending.typed, parts.now()) : { kind: kind === 'budget' ? ('budget' as const) : ('balance' as const), usd: dollars(amount) };
    return spending.setTyped(figure);
  });
}

function dollars(amount: unknown): number {
  const usd = typeof amount === 'number' ? amount : typeof amount === 'string' ? readDollars(amount) : undefined;
  if (usd === undefined || !Number.isFinite(usd) || usd < 0) throw new Error(l10n.t('An amount in dollars is needed, for example 12.50.'));
  return usd;
}

/** `12.50`, `$12.50` or `12,50`. */
function readDollars(text: string): number | undefined {
  const clean = text.trim().replace(/^\$\s*/, '').replace(/^(\d+),(\d{1,2})$/, '$1.$2');
  return /^\d+(\.\d+)?$/.test(clean) ? Number(clean) : undefined;
}

/** @returns undefined to forget the figure */
async function askFigure(typed: TypedBalance | undefined, now: number): Promise<Pick<TypedBalance, 'kind' | 'usd'> | undefined> {
  const title = l10n.t('Set Balance or Budget');
  const kinds = [
    { label: l10n.t('Balance'), detail: l10n.t('The credit that the RunPod console shows. What your pods cost from now on is taken off it here.'), figure: 'balance' as const },
    { label: l10n.t('Budget'), detail: l10n.t('What you want to spend at most from now on. Nothing is stopped by it; you are told in time.'), figure: 'budget' as const },
  ];
  const forget = typed && { label: l10n.t('Forget the Figure'), detail: l10n.t('{0}, typed {1} ago', money(typed.usd), longTime(now - typed.at)), figure: undefined };
  const picked = await ask.oneOf([...kinds, ...(forget ? [forget] : [])], { title, placeHolder: l10n.t('What do you want to type in?'), ignoreFocusOut: true });
  if (!picked) throw new CancelledError();
  if (picked.figure === undefined) return undefined;
  const text = await ask.text({
    title,
    prompt: picked.figure === 'balance' ? l10n.t('Credit left, in dollars') : l10n.t('Budget from now on, in dollars'),
    placeHolder: '12.50',
    ignoreFocusOut: true,
    validateInput: (value) => (readDollars(value) === undefined ? l10n.t('An amount in dollars is needed, for example 12.50.') : undefined),
  });
  const usd = text === undefined ? undefined : readDollars(text);
  if (usd === undefined) throw new CancelledError();
  return { kind: picked.figure, usd };
}
