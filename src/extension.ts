import type { ExtensionContext } from 'vscode';
import { ActivePod } from './editor/activePod';
import { Api } from './editor/api';
import { accountName, ApiKeys } from './editor/apiKey';
import { AttentionWatch } from './editor/attention';
import { registerBrowse } from './editor/commands/browse';
import { registerDoctor } from './editor/commands/doctor';
import { registerHostKey } from './editor/commands/hostKey';
import { registerKeyCommands } from './editor/commands/keys';
import { registerOpenWorkspace } from './editor/commands/openWorkspace';
import { registerPodChanges } from './editor/commands/changePod';
import { registerPodActions } from './editor/commands/podActions';
import { followContextKeys } from './editor/contextKeys';
import { registerCosts } from './editor/costs';
import { registerBeside } from './editor/createPod/beside';
import { registerCreatePod } from './editor/createPod/command';
import { followLostCreates, orphans, pendingCreates } from './editor/createPod/lostCreates';
import { registerSpot } from './editor/createPod/spot';
import { startAnyPod } from './editor/createPod/startPod';
import { Watches } from './editor/createPod/watches';
import { registerGoToFile } from './editor/find/register';
import { registerPlaces } from './editor/disk/commands';
import { DiskFigures } from './editor/disk/figures';
import { registerFileSystem } from './editor/fileSystem/register';
import { Guards } from './editor/guard/guards';
import { registerGuards } from './editor/guard/register';
import { pendingEnds, Unsolved } from './editor/guard/unsolved';
import { registerLaunches } from './editor/launch/register';
import type { Parts } from './editor/parts';
import { RunBook } from './editor/podRuns/book';
import { FollowedRuns } from './editor/podRuns/followed';
import { openLog } from './editor/log';
import { HandMachines, registerMachines } from './editor/machines';
import { PodLogs } from './editor/podLogs';
import { PodsView } from './editor/podsView/provider';
import { registerGitRemote } from './editor/gitRemote/register';
import { PodAliases } from './editor/remoteSsh/aliases';
import { registerRemoteSsh } from './editor/remoteSsh/register';
import { registerRuns } from './editor/runs';
import { registerSync } from './editor/sync/register';
import { Mappings } from './editor/sync/mappings';
import { Ledgers } from './editor/sync/ledgers';
import { registerSearch } from './editor/search/register';
import { reachThrough, tellSessions } from './editor/sessions';
import { Spending } from './editor/spending';
import { guardUrls } from './editor/settings';
import { SshIdentities } from './editor/sshIdentities';
import { Ticker } from './editor/ticker';
import { registerTransfers } from './editor/transfer/commands';
import { PodDrops } from './editor/transfer/drops';
import { registerVolumes } from './editor/volumes/commands';
import { PodSessions } from './pods/session';
import { PodStore } from './pods/store';

/** Builds the parts and hands them to each other. Nothing here reads a file, a secret or the network. */
export function activate(context: ExtensionContext): void {
  const log = openLog('RunPod Workspaces');
  const keys = new ApiKeys(context);
  const version = (context.extension.packageJSON as { version: string }).version;
  const api = new Api(keys, version, log, () => void store.reset());
  const store = new PodStore(() => api.podsApi(), log);
  const now = (): number => Date.now() + api.clockOffsetMs;
  const identities = new SshIdentities(context, log);
  const machines = new HandMachines(context.globalState);
  store.elsewhere = (id) => machines.pod(id);
  const reach = reachThrough({ api, store, identities, machines, context, log, now });
  const sessions = new PodSessions({ ...reach, watched: () => store.attention !== 'background' });
  const activePod = new ActivePod(context.workspaceState, store);
  const podLogs = new PodLogs(api);
  const runBook = new RunBook(sessions, store, log);
  const followed = new FollowedRuns(context.workspaceState);
  const { files, fileChanges, fileSystem } = registerFileSystem({ sessions, store, log });
  const pending = pendingCreates(context.globalState);
  const watches = new Watches(context, keys, api, log);
  const guards = new Guards({ store, sessions, log, urls: guardUrls, now });
  const parts: Parts = { guards, context, log, keys, api, store, reach, sessions, activePod, identities, podLogs, runBook, followed, pendingCreates: pending, pendingEnds: pendingEnds(context.globalState, now), orphans: orphans(context.globalState), watches, files, fileChanges, now, ledgers: new Ledgers(context), mappings: new Mappings(context.workspaceState) };

  const aliases = new PodAliases(parts);
  const attention = new AttentionWatch(store, sessions);
  const spending = new Spending(store, context.globalState, keys.onDidChange, now);
  const unsolved = new Unsolved(parts);
  const drops = new PodDrops();
  const diskFigures = new DiskFigures();
  const podsView = new PodsView(store, sessions, activePod, now, (visible) => attention.viewVisible(visible), { drops, storage: diskFigures, runs: runBook, unsolved, accountName: () => accountName(keys), machines: () => machines.here((id) => sessions.peek(id) !== undefined) });
  drops.useParts(parts);
  diskFigures.useParts(parts);
  context.subscriptions.push(
    log,
    api,
    store,
    sessions,
    podLogs,
    runBook,
    followed,
    fileSystem,
    attention,
    spending,
    followContextKeys(store),
    tellSessions(store, sessions),
    keys.onDidChange(() => void store.reset()),
    unsolved,
    podsView,
    diskFigures,
    new Ticker(store, spending.meter, now),
    ...registerCosts(parts, spending),
    watches,
    followLostCreates(parts),
    ...registerCreatePod(parts),
    registerBeside(parts),
    ...registerLaunches(parts),
    ...registerVolumes(parts),
    ...registerMachines(parts, machines),
    ...registerSpot(parts),
    ...registerPodChanges(parts),
    registerOpenWorkspace(parts),
    registerDoctor(parts),
    registerHostKey(parts),
    registerGuards(parts, unsolved),
    ...registerPodActions(parts, (pod, how) => startAnyPod(parts, pod, how)),
    ...registerBrowse(parts),
    ...registerKeyCommands(parts),
    ...registerRuns(parts),
    ...registerTransfers(parts),
    ...registerPlaces(parts, podsView, diskFigures),
    aliases,
    ...registerRemoteSsh(parts, aliases),
    ...registerGitRemote(parts, aliases),
    registerSearch(parts),
    ...registerSync(parts),
    registerGoToFile(parts),
  );
  // The first request waits until the editor has started.
  const begin = setTimeout(() => store.start(), 0);
  context.subscriptions.push({ dispose: () => clearTimeout(begin) });
}
