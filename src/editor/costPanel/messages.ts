import type { MonthOutlook, SpendRow } from '../../pods/spendHistory';
import type { UseSample } from '../../pods/useHistory';
import type { Words } from './words';

/** One line above the charts. */
export interface Figure {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}

export interface PanelPod {
  readonly id: string;
  readonly name: string;
  /** As a word. */
  readonly state: string;
}

/** Storage that bills although nothing runs. */
export interface IdleStorage {
  readonly name: string;
  readonly kind: string;
  readonly size: string;
  readonly perMonth: number;
  readonly atZero: string;
}

export interface CostsMessage {
  readonly type: 'costs';
  readonly figures: readonly Figure[];
  /** Undefined until the bills have been read for the first time. */
  readonly rows: readonly SpendRow[] | undefined;
  /** Listed pods and those of the bills. */
  readonly pods: readonly PanelPod[];
  readonly storage: readonly IdleStorage[];
  readonly month: MonthOutlook | undefined;
  /** The shown span, ms since 1970. */
  readonly from: number;
  readonly now: number;
  readonly days: number;
  /** Why there is no newer answer, in words. */
  readonly problem?: string;
  readonly loading: boolean;
}

export interface UseMessage {
  readonly type: 'use';
  readonly pods: readonly { readonly id: string; readonly name: string; readonly samples: readonly UseSample[] }[];
  /** The pod to show, when somebody has just asked for one. */
  readonly show?: string;
}

export interface HelloMessage {
  readonly type: 'hello';
  readonly words: Words;
}

export type ToView = HelloMessage | CostsMessage | UseMessage;

export type FromView = { readonly type: 'ready' } | { readonly type: 'refresh' } | { readonly type: 'export' } | { readonly type: 'range'; readonly days: number };

export const RANGES = [7, 30, 90] as const;

/** What the page sends, if it is one of ours. */
export function readFromView(raw: unknown): FromView | undefined {
  if (typeof raw !== 'object' || raw === null || !('type' in raw)) return undefined;
  switch (raw.type) {
    case 'ready':
    case 'refresh':
    case 'export':
      return { type: raw.type };
    case 'range': {
      const days = RANGES.find((range) => 'days' in raw && range === raw.days);
      return days === undefined ? undefined : { type: 'range', days };
    }
    default:
      return undefined;
  }
}
