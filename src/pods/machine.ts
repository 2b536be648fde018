import { createHash } from 'node:crypto';
import type { Pod } from '../runpod/types';
import type { HandConnection } from './profile/connectionFile';

/** Ids of machines connected by hand begin like this; RunPod's never do. */
export const MACHINE_PREFIX = 'ssh-';

/** The same machine, login and port have the same id, whatever folder names them. */
export const machineId = ({ user, host, port }: HandConnection): string => MACHINE_PREFIX + createHash('sha256').update(`${user}@${host.toLowerCase()}:${port}`).digest('hex').slice(0, 16);

/**
 * A machine by hand in the shape of a pod that runs, for everything that reaches pods: no price, no actions, no log. Its host
 * key is pinned on first use for good, for unlike a pod it has no starts.
 */
export function machinePod(connection: HandConnection): Pod {
  const { user, host, port, remoteDir } = connection;
  return {
    id: machineId(connection),
    name: `${user}@${host}:${port}`,
    status: 'RUNNING',
    actions: [],
    image: '',
    args: '',
    mount: { kind: 'network', volumeId: '', path: remoteDir },
    ports: ['22/tcp'],
    env: {},
    ssh: { direct: { host, port, username: user } },
    costPerHour: undefined,
    locked: false,
    startedAt: new Date(0),
  };
}
