import { BUDGET_UNIT, readWish, type AtLimit, type GuardWish } from './wish';

export type GuardState = 'starting' | 'watching' | 'stopping' | 'stopped' | 'locked' | 'refused';
/** What would end a start. */
export type EndsBy = 'limit' | 'idle' | 'budget';

/** What a guard says of itself. Moments are ms since 1970 by the API's clock. */
export interface GuardWord {
  /** Its process lives, now. */
  readonly alive: boolean;
  readonly version: number;
  /** Started with the container, or over SSH. */
  readonly by: 'args' | 'ssh';
  readonly state: GuardState;
  /** `yes`: the API has said that it may stop its pod. `wait`: not asked yet. */
  readonly armed: 'yes' | 'no' | 'wait';
  /** `refused`, `no-key`, `no-tool`, `tls`, `unreachable`, or empty. */
  readonly why: string;
  /** What the last call met, where it met something. */
  readonly trouble: string;
  /** What it calls the API with. */
  readonly tool: string;
  readonly deadline?: number;
  /** Where the budget of this start is spent at the pod's price. */
  readonly end?: number;
  readonly endsBy?: EndsBy;
  readonly lastUse?: number;
  readonly usedBy: string;
  readonly wish: GuardWish | undefined;
  readonly lifted: boolean;
  /** `startedAt` of the start that the limit belongs to, as the API wrote it. */
  readonly started: string;
  /** Its state lies on the mount and outlives the container. */
  readonly kept: boolean;
  /** An order is there that it has not taken yet. */
  readonly pending: boolean;
  /** Seconds since it last spoke. */
  readonly ageSeconds: number;
  readonly at: AtLimit;
}

/** What an SSH look at a pod has found: the guard's word, if one has ever lived in this container, and the plan on the mount. */
export interface GuardReport {
  readonly word?: GuardWord;
  /** The limits that were kept for the pod's next start. */
  readonly planned?: GuardWish;
}

/** The answer came from a shell that did not get to its end. */
export class GuardSilentError extends Error {
  override readonly name = 'GuardSilentError';
}

/**
 * Reads what the script's `word` and `arm` print.
 * @throws GuardSilentError for anything else, for example a shell without the tools
 */
export function readReport(text: string): GuardReport {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1));
  }
  if (fields.get('said') !== '1') throw new GuardSilentError(fields.get('why') ?? 'The pod did not answer as the guard does');
  const plan = [...fields].flatMap(([name, value]) => (name.startsWith('plan.') ? [`${name.slice(5)}=${value}`] : []));
  const planned = fields.has('plan.end') ? readWish(plan.join(' ')) : undefined;
  const word = fields.get('whole') === '1' ? readWord(fields) : undefined;
  return { ...(word ? { word } : {}), ...(planned ? { planned } : {}) };
}

function readWord(fields: ReadonlyMap<string, string>): GuardWord {
  const text = (name: string): string => fields.get(name) ?? '';
  const number = (name: string): number => Number(text(name)) || 0;
  const moment = (name: string): number | undefined => (number(name) > 1_000_000_000 ? number(name) * 1000 : undefined);
  const one = <T extends string>(name: string, of: readonly T[]): T | undefined => of.find((value) => value === text(name));
  const wish = readWish(['limit', 'idle', 'budget', 'at'].map((name) => `${name}=${text(name)}`).join(' '));
  const [deadline, end, lastUse, endsBy] = [moment('deadline'), moment('end'), moment('last_use'), one('ends', ['limit', 'idle', 'budget'] as const)];
  return {
    alive: text('alive') === '1',
    version: number('version'),
    by: one('by', ['args', 'ssh'] as const) ?? 'ssh',
    state: one('state', ['starting', 'watching', 'stopping', 'stopped', 'locked', 'refused'] as const) ?? 'starting',
    armed: one('armed', ['yes', 'no', 'wait'] as const) ?? 'wait',
    why: text('why'),
    trouble: text('trouble'),
    tool: text('tool'),
    ...(deadline === undefined ? {} : { deadline }),
    ...(end === undefined ? {} : { end }),
    ...(endsBy === undefined ? {} : { endsBy }),
    ...(lastUse === undefined ? {} : { lastUse }),
    usedBy: text('used_by'),
    wish,
    lifted: text('lifted') === '1',
    started: text('started'),
    kept: text('kept') === 'yes',
    pending: text('pending') === '1',
    ageSeconds: Math.max(0, number('uptime_now') - number('uptime')),
    at: one('at', ['stop', 'terminate'] as const) ?? 'stop',
  };
}

/** USD that a word's whole numbers stand for; here for the tests of both sides. */
export const usd = (units: number): number => units / BUDGET_UNIT;
