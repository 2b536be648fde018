import { publicTemplates, type TemplateEntry } from './catalog/templates';
import type { PodClock } from './clock';
import type { FaultBook } from './faults';
import { Ledger } from './ledger';
import type { NetworkVolume } from './meter';
import type { Pod } from './pod';
import type { Settings } from './settings';
import { Stock } from './stock';

export interface Registry {
  readonly id: string;
  readonly name: string;
}

export interface Secret {
  readonly id: string;
  readonly name: string;
  description: string;
  value: string;
  readonly createdAt: number;
  valueLastUpdatedAt: number;
}

/** What a key of the account may do. */
export type Permission = 'all' | 'read' | 'no-graphql';

export interface Account {
  readonly id: string;
  readonly email: string;
  balance: number;
  sshKeys: readonly string[];
  /** API keys and what they may do. */
  readonly keys: Map<string, Permission>;
}

/** Everything that the account has, newest last in each map. */
export class World {
  readonly pods = new Map<string, Pod>();
  readonly volumes = new Map<string, NetworkVolume>();
  readonly templates: Map<string, TemplateEntry>;
  readonly registries = new Map<string, Registry>();
  readonly secrets = new Map<string, Secret>();
  readonly ledger = new Ledger();
  readonly stock: Stock;

  constructor(
    readonly clock: PodClock,
    readonly settings: Settings,
    readonly faults: FaultBook,
    readonly account: Account,
  ) {
    this.stock = new Stock(settings);
    this.templates = new Map(publicTemplates().map((template) => [template.id, template]));
  }
}
