import type { Disposable } from 'vscode';
import { registerCopyWorkspace } from './commands/copyWorkspace';
import { registerSetBalance } from './commands/setBalance';
import { CostAlerts } from './costAlerts';
import { registerCostPanel } from './costPanel/panel';
import type { Parts } from './parts';
import type { Spending } from './spending';

/** What pods cost: the panel, the alerts, the typed balance, and saving what $0 would delete. */
export function registerCosts(parts: Parts, spending: Spending): Disposable[] {
  return [
    new CostAlerts(parts.store, parts.context.globalState, () => parts.now()),
    registerCostPanel(parts, spending),
    registerSetBalance(parts, spending),
    registerCopyWorkspace(parts),
  ];
}
