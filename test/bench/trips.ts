import { counted, roundTrips, startCounting } from '../files/counted';

/** What an operation takes in round trips, one after the other. */
export interface TripFigure {
  readonly title: string;
  readonly trips: number;
  readonly limit: number;
}

/** Counts at a link that only counts and delays; other work on the machine does not show. */
export async function measureTrips(): Promise<TripFigure[]> {
  const pod = await startCounting();
  try {
    const figures: TripFigure[] = [];
    for (const operation of counted) figures.push({ title: operation.title, trips: await roundTrips(pod, operation), limit: operation.limit });
    return figures;
  } finally {
    await pod.stop();
  }
}
