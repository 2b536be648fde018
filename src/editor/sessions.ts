import { join } from 'node:path';
import type { ExtensionContext } from 'vscode';
import type { ReachDeps } from '../pods/reach';
import type { PodSessions } from '../pods/session';
import type { PodStore } from '../pods/store';
import { pinFile } from '../ssh/pinFile';
import { PinStore } from '../ssh/pins';
import type { Api } from './api';
import type { HandMachines } from './machines';
import type { SshIdentities } from './sshIdentities';
import type { Log } from './log';

interface ReachParts {
  readonly api: Api;
  readonly store: PodStore;
  readonly identities: SshIdentities;
  readonly machines: HandMachines;
  readonly context: ExtensionContext;
  readonly log: Log;
  readonly now: () => number;
}

/** What it takes to reach a pod: its state and log from the API, our keys, and the host keys remembered on this machine. */
export function reachThrough({ api, store, identities, machines, context, log, now }: ReachParts): ReachDeps {
  return {
    getPod: async (id, signal) => {
      const machine = machines.pod(id);
      if (machine) return machine;
      const pod = await (await api.client()).pods.get(id, { signal });
      // Every look is news for the list as well.
      store.put(pod);
      return pod;
    },
    logs: async function* (id, query) {
      // A machine by hand has no log that could prove its host key.
      if (machines.pod(id)) return;
      yield* (await api.client()).pods.logs(id, query);
    },
    identities: (pod, mayAsk) => identities.find(machines.keyPath(pod.id), mayAsk),
    pins: new PinStore(pinFile(join(context.globalStorageUri.fsPath, 'ssh', 'host-keys.json')), log),
    log,
    now,
  };
}

/** Tells the connections what the list says of their pods: a stop or a new address ends a dead one early. */
export const tellSessions = (store: PodStore, sessions: PodSessions): { dispose(): void } =>
  store.onDidChange((state) => {
    for (const pod of state.pods) if (sessions.peek(pod.id)) sessions.podChanged(pod);
  });
