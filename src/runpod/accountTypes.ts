/** What one pod cost in one span of time, in USD. An amount that cannot be read is `undefined`, never 0. */
export interface BillingRecord {
  readonly podId: string;
  readonly start: Date;
  /** Exclusive. */
  readonly end: Date;
  readonly total: number | undefined;
  readonly gpu?: number;
  readonly cpu?: number;
  readonly disk?: number;
}

export interface BillingQuery {
  readonly podId?: string;
  readonly bucketSize?: 'hour' | 'day' | 'week' | 'month' | 'year';
  readonly startTime?: Date;
  /** Exclusive. */
  readonly endTime?: Date;
  /** The last so many buckets; instead of the times. */
  readonly lastN?: number;
}

export interface Account {
  /** Credit left in USD. */
  readonly balance?: number;
  /** What the whole account burns now, in USD per hour. */
  readonly spendPerHour?: number;
}
