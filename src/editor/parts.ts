import type { ExtensionContext } from 'vscode';
import type { PodFiles } from '../files/pod/podFiles';
import type { ReachDeps } from '../pods/reach';
import type { Orphans } from '../pods/orphans';
import type { PendingCreates } from '../pods/pendingCreates';
import type { PendingEnds } from '../pods/pendingEnds';
import type { PodSessions } from '../pods/session';
import type { PodStore } from '../pods/store';
import type { ActivePod } from './activePod';
import type { Api } from './api';
import type { ApiKeys } from './apiKey';
import type { Watches } from './createPod/watches';
import type { FileChanges } from './fileSystem/changes';
import type { Guards } from './guard/guards';
import type { PodLogs } from './podLogs';
import type { RunBook } from './podRuns/book';
import type { FollowedRuns } from './podRuns/followed';
import type { Mappings } from './sync/mappings';
import type { Ledgers } from './sync/ledgers';
import type { SshIdentities } from './sshIdentities';
import type { Log } from './log';

/** What the commands work with; `activate` builds it once. */
export interface Parts {
  readonly context: ExtensionContext;
  readonly log: Log;
  readonly keys: ApiKeys;
  readonly api: Api;
  readonly store: PodStore;
  /** What reaching a pod takes, for the doctor; everybody else uses `sessions`. */
  readonly reach: ReachDeps;
  readonly sessions: PodSessions;
  readonly activePod: ActivePod;
  readonly identities: SshIdentities;
  readonly podLogs: PodLogs;
  /** What ends pods with this computer off. */
  readonly guards: Guards;
  /** Creates whose end is not known yet. */
  readonly pendingCreates: PendingCreates;
  /** Stops and terminates that RunPod has not confirmed yet. */
  readonly pendingEnds: PendingEnds;
  /** Pods of lost creates that nobody has decided on yet. */
  readonly orphans: Orphans;
  /** Hardware that is waited for. */
  readonly watches: Watches;
  /** The runs of the pods, as far as somebody has looked. */
  readonly runBook: RunBook;
  /** The runs that this window has terminals for. */
  readonly followed: FollowedRuns;
  /** What local folders and pods had in common, and where each folder lies on pods. */
  readonly ledgers: Ledgers;
  readonly mappings: Mappings;
  files(podId: string): PodFiles;
  /** What changes on pods, by our hand and by others'. */
  readonly fileChanges: FileChanges;
  /** ms since 1970 by the API's clock. */
  now(): number;
}
