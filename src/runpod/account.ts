import * as z from 'zod';
import type { Logger } from '../base/log';
import { messageOf } from '../base/errors';
import { RunPodError } from './errors';
import { defined, FieldReader, isFields } from './read';
import type { ReadOptions, Transport } from './transport';
import type { Account } from './types';

/** The one thing REST has no route for. Served by RunPod until early 2027, and refused to some keys that manage pods. */
const query = 'query { myself { clientBalance currentSpendPerHr } }';

/** A figure that would be nice to have is not waited for as long as one that is needed, in milliseconds. */
const timeoutMs = 15_000;

/** Balance and burn of the account, over the GraphQL API that is being retired: optional in every use. */
export class AccountApi {
  #problem: RunPodError | undefined;

  constructor(
    private readonly transport: Transport,
    /** Of the GraphQL API on its host. */
    private readonly path: string,
    private readonly log: Logger,
  ) {}

  /** Why the last read gave nothing. */
  get problem(): RunPodError | undefined {
    return this.#problem;
  }

  /** @returns what can be read; `undefined` after any failure (see `problem`). Throws only `CancelledError`. */
  async read(options: ReadOptions = {}): Promise<Account | undefined> {
    // What has been retired does not come back.
    if (this.#problem?.code === 'gone') return undefined;
    try {
      const account = accountIn(await this.transport.query(this.path, { query }, { background: true, timeoutMs, ...options }), this.path, (words) => this.transport.wordsOf(words));
      this.#problem = undefined;
      return account;
    } catch (error) {
      if (!(error instanceof RunPodError)) throw error;
      if (this.#problem?.code !== error.code) this.log.info(`The balance cannot be read: ${messageOf(error)} (${error.code})`);
      this.#problem = error;
      return undefined;
    }
  }
}

function accountIn(answer: unknown, path: string, shown: (words: string) => string): Account {
  const fields = new FieldReader(isFields(answer) ? answer : {});
  const myself = fields.within('data').within('myself');
  const account = defined({ balance: myself.get('clientBalance', z.number()), spendPerHour: myself.get('currentSpendPerHr', z.number().min(0)) });
  if (account.balance !== undefined || account.spendPerHour !== undefined) return account;
  // GraphQL tells its refusals with status 200.
  const words = fields.list('errors', (error) => (isFields(error) && typeof error['message'] === 'string' ? error['message'] : undefined))?.join('; ');
  const refused = words !== undefined && /unauthori[sz]ed|not authori[sz]ed|forbidden|permission|access denied/i.test(words);
  throw new RunPodError(refused ? 'forbidden' : 'unreadable', { method: 'POST', path, status: 200, detail: words === undefined ? 'The answer holds no account' : shown(words) });
}
