import type { RunMeta } from './meta';

/** The group of the runs that set a new pod up. */
export const setUpGroup = (launchId: string): string => `setup:${launchId}`;

/** Whether a run sets its pod up: what comes after it is work, so the pod is kept. */
export const isSetUp = ({ group }: RunMeta): boolean => group?.startsWith(setUpGroup('')) === true;
