import { env, type Memento } from 'vscode';
import type { Disposable } from '../base/disposable';
import { SpendMeter } from '../pods/meter';
import type { PodStore } from '../pods/store';

const KEY = 'runpod.spentThisSession';

interface Carried {
  readonly session: string;
  readonly usd: number;
}

/** The meter of this editor session: a reload of the window (opening a folder is one) goes on with the same sum. */
export function meterSpending(store: PodStore, memento: Memento): SpendMeter & Disposable {
  const carried = memento.get<Carried>(KEY);
  const meter = new SpendMeter(carried?.session === env.sessionId ? carried.usd : 0);
  let saved = 0;
  const subscription = store.onDidChange((state) => {
    if (state.phase !== 'ready' || state.problem) return;
    const now = Date.now();
    meter.update(state.pods, now);
    if (now - saved < 30_000) return;
    saved = now;
    void memento.update(KEY, { session: env.sessionId, usd: meter.total(now) } satisfies Carried);
  });
  return Object.assign(meter, { dispose: () => subscription.dispose() });
}
