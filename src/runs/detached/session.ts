import type { PodSession } from '../../pods/podSession';

/** What a run needs of a pod's session. */
export type RunSession = Pick<PodSession, 'podId' | 'link' | 'run' | 'hold' | 'state' | 'reason' | 'pod' | 'onDidChange'>;
