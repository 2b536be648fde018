/**
 * The domain as RunPod's API v2 tells it, in our words and units. Free of library imports, so that any room may import
 * it without cost. Optional means: not there, not applicable, or unreadable; `problems` tells the last apart.
 */
export type * from './accountTypes';
export type * from './catalogTypes';
export type * from './podTypes';
export type * from './requests';
