/** Every id the manifest and the code share; a test holds them against package.json. */
export const COMMANDS = [
  'runpod.setApiKey',
  'runpod.signOut',
  'runpod.refreshPods',
  'runpod.createPod',
  'runpod.switchAccount',
  'runpod.renamePod',
  'runpod.lockPod',
  'runpod.unlockPod',
  'runpod.changePorts',
  'runpod.changeEnvironment',
  'runpod.refreshVolumes',
  'runpod.createVolume',
  'runpod.growVolume',
  'runpod.deleteVolume',
  'runpod.createPodFromFolder',
  'runpod.planPod',
  'runpod.createProfile',
  'runpod.watches',
  'runpod.startPod',
  'runpod.stopPod',
  'runpod.restartPod',
  'runpod.terminatePod',
  'runpod.openRemoteWorkspace',
  'runpod.openTerminal',
  'runpod.runCommand',
  'runpod.runOnRunPod',
  'runpod.listRuns',
  'runpod.attachRun',
  'runpod.stopRun',
  'runpod.runAgain',
  'runpod.showRunOutput',
  'runpod.compareRuns',
  'runpod.deleteRun',
  'runpod.setActivePod',
  'runpod.copySshCommand',
  'runpod.copyPodId',
  'runpod.addSshKey',
  'runpod.doctor',
  'runpod.showPodLog',
  'runpod.openPodInConsole',
  'runpod.openWebTerminal',
  'runpod.openPort',
  'runpod.searchOnPod',
  'runpod.goToFileOnPod',
  'runpod.cancelSearch',
  'runpod.repeatSearch',
  'runpod.clearSearch',
  'runpod.replaceOnPod',
  'runpod.applyReplacements',
  'runpod.discardReplacements',
  'runpod.dismissSearchResult',
  'runpod.push',
  'runpod.pull',
  'runpod.syncStatus',
  'runpod.uploadToPod',
  'runpod.downloadFromPod',
  'runpod.openFolder',
  'runpod.openReadOnly',
  'runpod.openTerminalHere',
  'runpod.copyPath',
  'runpod.revealInPods',
  'runpod.measureDiskUse',
  'runpod.reopenInRemoteSsh',
  'runpod.addSshConfig',
  'runpod.removeSshConfig',
  'runpod.extendLimit',
  'runpod.setLimit',
  'runpod.liftLimit',
  'runpod.showPods',
  'runpod.showCosts',
  'runpod.setBalance',
  'runpod.copyWorkspace',
  'runpod.showLog',
] as const;
export type CommandId = (typeof COMMANDS)[number];

export const VIEW_PODS = 'runpod.pods';
export const VIEW_SEARCH = 'runpod.search';
export const TICKER = 'runpod.ticker';
export const SCHEME = 'runpod';
export const SCHEME_READONLY = 'runpod-ro';

/** Context keys with what they mean in `when` clauses. */
export const CONTEXT = {
  /** `loading`, `no-key`, `offline` (no list yet and the API cannot be asked) or `ready`. */
  phase: 'runpod.phase',
  /** True when the last good list has no pod. */
  empty: 'runpod.empty',
  /** There is a search on a pod to look at. */
  searchShown: 'runpod.search.shown',
  searchRunning: 'runpod.search.running',
  /** It has ended with results in files that may be written. */
  searchReplaceable: 'runpod.search.replaceable',
  /** What would be replaced is being looked at. */
  searchReplacing: 'runpod.search.replacing',
} as const;
