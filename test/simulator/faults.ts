/** What happens to a request instead of, or after, its proper answer. */
export type Effect =
  /** A problem of this status. 429 carries `Retry-After`. */
  | { readonly kind: 'status'; readonly status: number; readonly detail?: string; readonly retryAfter?: number }
  /** The connection stays open and no byte comes. */
  | { readonly kind: 'hang' }
  /** The connection is cut without an answer. */
  | { readonly kind: 'reset' }
  /** An HTML page of a gateway, default status 502. */
  | { readonly kind: 'html'; readonly status?: number }
  /** Status 200 and JSON that ends in the middle. */
  | { readonly kind: 'truncated' }
  /** Cloudflare's refusal of a client it does not like. */
  | { readonly kind: 'cloudflare' }
  /** The proper answer, late. */
  | { readonly kind: 'delay'; readonly ms: number };

export interface FaultRule {
  /** HTTP method; any when absent. */
  readonly method?: string;
  /** Path as the client sends it, for example `/v2/pods`; `*` stands for one segment, `**` for anything. Any when absent. */
  readonly path?: string;
  /** `before`: nothing is done. `after`: the work was really done and only its answer is lost. Default `before`. */
  readonly when?: 'before' | 'after';
  /** How many requests it hits; default 1, 0 for every one until it is taken back. */
  readonly times?: number;
  readonly effect: Effect;
}

interface ArmedFault extends FaultRule {
  readonly id: number;
  left: number;
}

/** The faults that are armed, oldest first. */
export class FaultBook {
  #armed: ArmedFault[] = [];
  #nextId = 1;

  /** @returns a number by which `disarm` takes the fault back. */
  arm(rule: FaultRule): number {
    const times = rule.times ?? 1;
    const id = this.#nextId++;
    this.#armed.push({ ...rule, id, left: times === 0 ? Infinity : times });
    return id;
  }

  /** Takes back one fault, or all of them. */
  disarm(id?: number): void {
    this.#armed = id === undefined ? [] : this.#armed.filter((fault) => fault.id !== id);
  }

  /** The effect that hits this request now, if any; counts it. */
  strike(method: string, path: string, when: 'before' | 'after'): Effect | undefined {
    const fault = this.#armed.find((f) => (f.when ?? 'before') === when && hits(f, method, path));
    if (fault === undefined) return undefined;
    fault.left--;
    if (fault.left <= 0) this.disarm(fault.id);
    return fault.effect;
  }

  list(): readonly FaultRule[] {
    return this.#armed.map(({ left, ...rule }) => ({ ...rule, times: left === Infinity ? 0 : left }));
  }
}

function hits(rule: FaultRule, method: string, path: string): boolean {
  if (rule.method !== undefined && rule.method.toUpperCase() !== method) return false;
  if (rule.path === undefined) return true;
  const pattern = rule.path
    .split('**')
    .map((part) => part.split('*').map(escapeRegExp).join('[^/]*'))
    .join('.*');
  return new RegExp(`^${pattern}$`).test(path);
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
