import type { Sessions } from '../ssh/sessions';

/** The pod that files are sent to. */
export type SyncHost = Pick<Sessions, 'exec' | 'run'>;
