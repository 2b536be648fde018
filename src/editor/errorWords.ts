import { l10n } from 'vscode';
import { DeadlineError, messageOf } from '../base/errors';
import { CreateUncertainError, NothingPlacedError } from '../pods/create';
import { SearchError } from '../files/search/query';
import { MissingValuesError } from '../pods/profile/environment';
import { PodUnavailableError } from '../pods/contracts';
import { SpotRefusedError } from '../pods/bid';
import { StartRefusedError } from '../pods/start';
import { VolumeUncertainError } from '../pods/volumes';
import { ReadOnlyConfigError } from '../ssh/configInclude';
import { GitError } from '../sync/git/errors';
import { RunError } from '../runs/detached/errors';
import { isSshError } from '../ssh/errors';
import { NoNotebookToolError } from '../runs/notebook';
import { RunPodError, type RunPodErrorCode } from '../runpod/errors';
import type { CommandId } from './ids';
import { gitErrorWords } from './gitRemote/words';
import { searchErrorWords } from './search/words';
import { rate, shortGpu } from './words';

/** What happened and why, and the one thing to do next. */
export interface Explanation {
  readonly message: string;
  readonly action?: { readonly title: string; readonly command: CommandId; readonly args?: readonly unknown[] } | undefined;
}

const setKey = (): Explanation['action'] => ({ title: l10n.t('Set API Key'), command: 'runpod.setApiKey' });
const doctor = (podId: string): Explanation['action'] => ({ title: l10n.t('Run Doctor'), command: 'runpod.doctor', args: [{ podId }] });

/** Words for anything thrown by the rooms below. */
export function explain(error: unknown): Explanation {
  if (error instanceof RunPodError) return explainApi(error);
  if (error instanceof PodUnavailableError) return explainUnavailable(error);
  if (error instanceof CreateUncertainError)
    return {
      message: l10n.t('RunPod did not answer the request to create {0}, and no such pod has shown up. If one does, it appears in the list.', error.podName),
      action: { title: l10n.t('Refresh Pods'), command: 'runpod.refreshPods' },
    };
  if (error instanceof NothingPlacedError) {
    // Candidates differ; that nothing is free says more than what a single one of them may not.
    const telling = error.refusals.find((r) => r.code === 'no-capacity') ?? error.refusals.at(-1);
    return telling ? explainApi(telling) : { message: error.message };
  }
  if (error instanceof SearchError) return { message: searchErrorWords(error) };
  if (error instanceof GitError) return { message: gitErrorWords(error), ...(error.code === 'no-git-there' && error.facts.podId !== undefined ? { action: { title: l10n.t('Open Terminal'), command: 'runpod.openTerminal', args: [{ podId: error.facts.podId }] } } : {}) };
  if (error instanceof StartRefusedError) return { message: startRefusedWords(error) };
  if (error instanceof MissingValuesError)
    return { message: l10n.t('The profile needs {0}, which this machine does not have. Set it in the environment the editor starts with, or mark it "required": false.', error.missing.map((m) => m.name).join(', ')) };
  if (error instanceof VolumeUncertainError)
    return { message: l10n.t('RunPod did not answer the request to create the network volume {0}, and no such volume has shown up. If one does, it bills.', error.volumeName), action: { title: l10n.t('Refresh Network Volumes'), command: 'runpod.refreshVolumes' } };
  if (error instanceof RunError) return explainRun(error);
  if (error instanceof ReadOnlyConfigError) {
    const { file, line } = error;
    return { message: line === undefined ? l10n.t('{0} is read-only, so the line that names the pods is still in it. Take it out by hand.', file) : l10n.t('{0} is read-only, so the line that names the pods was not added. Put it first in that file, then try again: {1}', file, line) };
  }
  if (error instanceof NoNotebookToolError)
    return {
      message: l10n.t('{0} has nothing that executes notebooks: neither nbconvert nor papermill. Install it there, then run {1} again.', error.podName, error.path.slice(error.path.lastIndexOf('/') + 1)),
      action: { title: l10n.t('Install nbconvert'), command: 'runpod.runCommand', args: [{ podId: error.podId }, error.install] },
    };
  if (error instanceof DeadlineError) return { message: l10n.t('{0} took longer than {1} s.', error.what, error.ms / 1000) };
  return { message: messageOf(error) };
}

/** Why a stopped pod did not start. */
export function startRefusedWords(error: StartRefusedError): string {
  const { pod, reason, cause } = error;
  if (error instanceof SpotRefusedError) {
    const nearest = error.onDemand === undefined ? '' : ` ${l10n.t('Nearest on demand: {0} at {1}.', pod.gpu ? shortGpu(pod.gpu.id, Math.max(1, pod.gpu.count)) : pod.name, rate(error.onDemand))}`;
    return l10n.t('RunPod would not start {0}: “{1}”', pod.name, trim(cause.detail ?? cause.message)) + nearest;
  }
  if (reason === 'no-gpu') return l10n.t('{0} cannot start: its machine has no free GPU just now. A stopped pod stays tied to its machine, whose GPUs others may rent meanwhile.', pod.name);
  return l10n.t('RunPod would not start {0}: “{1}”', pod.name, sentence(trim(cause.detail ?? cause.message)));
}

function explainRun({ code, detail }: RunError): Explanation {
  switch (code) {
    case 'missing-tool':
      return { message: l10n.t('The pod lacks the program “{0}”, which a run that outlives its connection needs. Use another image.', detail) };
    case 'no-space':
      return { message: l10n.t('The pod’s volume is full, so nothing was started: {0}', detail) };
    case 'not-started':
      return { message: l10n.t('The pod could not do it: {0}', detail || l10n.t('no reason given')) };
    case 'running':
      return { message: l10n.t('The run has not ended yet.') };
    case 'unknown':
      return { message: l10n.t('There is no such run on the pod any more.') };
  }
}

function explainApi(error: RunPodError): Explanation {
  // RunPod's own words are worth more than ours where it said something beyond the status.
  const said = error.detail ? ` ${l10n.t('RunPod says: “{0}”', sentence(trim(error.detail)))}` : '';
  const status = error.status === undefined ? '' : ` (${error.status})`;
  const words: Record<RunPodErrorCode, () => Explanation> = {
    'no-key': () => ({ message: l10n.t('No RunPod API key is set.'), action: setKey() }),
    unauthorized: () => ({ message: l10n.t('RunPod refused the API key{0}.', status), action: setKey() }),
    'payment-required': () => ({ message: l10n.t('The balance is too low for this.') + said, action: { title: l10n.t('Open Console'), command: 'runpod.openPodInConsole' } }),
    forbidden: () => ({ message: l10n.t('This API key may not do that{0}.', status) + said, action: setKey() }),
    'edge-blocked': () => ({ message: l10n.t('The network in front of RunPod turned the request away{0}. A VPN or proxy can be the reason; trying again later often helps.', status) }),
    'not-found': () => ({ message: l10n.t('RunPod does not know this pod or resource (any more).'), action: { title: l10n.t('Refresh Pods'), command: 'runpod.refreshPods' } }),
    'method-not-allowed': () => ({ message: l10n.t('RunPod no longer accepts this kind of request{0}. An update of this extension may be needed.', status) }),
    conflict: () => ({ message: l10n.t('The pod is not in a state that allows this.') + said, action: { title: l10n.t('Refresh Pods'), command: 'runpod.refreshPods' } }),
    'too-large': () => ({ message: l10n.t('The request is too large for RunPod (100 KB); shorten the start command or the environment.') }),
    invalid: () => ({ message: l10n.t('RunPod found the request invalid: {0}', trim([error.detail, ...(error.errors ?? [])].filter(Boolean).join(' · '))) }),
    'rate-limited': () => ({ message: l10n.t('RunPod’s request limit is used up for the moment.') + (error.retryAfterMs ? ` ${l10n.t('Free again in {0} s.', Math.ceil(error.retryAfterMs / 1000))}` : '') }),
    'no-capacity': () => ({ message: l10n.t('No such GPU is free there right now.') + said, action: { title: l10n.t('Choose Another GPU'), command: 'runpod.createPod' } }),
    rejected: () => ({ message: l10n.t('RunPod rejected the request.') + said }),
    gone: () => ({ message: l10n.t('RunPod has switched this interface off{0}. An update of this extension may be needed.', status) }),
    server: () => ({ message: l10n.t('RunPod has a problem of its own{0}.', status) + said }),
    'not-json': () => ({ message: l10n.t('The answer did not come from RunPod’s API{0}. A proxy or a sign-in page of this network may be in between.', status) }),
    unreadable: () => ({ message: l10n.t('RunPod’s answer could not be read. An update of this extension may be needed.') }),
    network: () => ({ message: l10n.t('RunPod cannot be reached ({0}).', trim(error.detail ?? error.message)) }),
    timeout: () => ({ message: l10n.t('RunPod did not answer in time.') }),
    'wrong-origin': () => ({ message: l10n.t('The API key is not sent to this address: {0}', trim(error.detail ?? error.message)), action: setKey() }),
  };
  return words[error.code]();
}

function explainUnavailable(error: PodUnavailableError): Explanation {
  const name = error.pod?.name ?? error.podId;
  const id = error.podId;
  switch (error.code) {
    case 'stopped':
      return { message: l10n.t('{0} is stopped.', name), action: { title: l10n.t('Start Pod'), command: 'runpod.startPod', args: [{ podId: id }] } };
    case 'failed':
      return { message: l10n.t('RunPod says that {0} has failed. Its log may tell why.', name), action: { title: l10n.t('Show Log'), command: 'runpod.showPodLog', args: [{ podId: id }] } };
    case 'starting':
      return { message: l10n.t('{0} is still starting.', name), action: { title: l10n.t('Show Log'), command: 'runpod.showPodLog', args: [{ podId: id }] } };
    case 'gone':
      return { message: l10n.t('{0} no longer exists.', name), action: { title: l10n.t('Refresh Pods'), command: 'runpod.refreshPods' } };
    case 'proxy-only':
      return {
        message: l10n.t('{0} has no direct SSH: port 22/tcp is not exposed or it has no public address, so files can’t be opened; a terminal works.', name),
        action: { title: l10n.t('Open Terminal'), command: 'runpod.openTerminal', args: [{ podId: id }] },
      };
    case 'bad-address':
      return { message: l10n.t('RunPod’s API says that {0} is at {1}, which is no address of a pod, so nothing was connected to. A proxy or another address of the API (runpod.api.restUrl) may be behind it.', name, error.facts.host ?? ''), action: doctor(id) };
    case 'no-ssh':
      return { message: l10n.t('{0} runs, but no SSH server answers. Its image may not start one, or is not there yet.', name), action: doctor(id) };
    case 'unreachable':
      return { message: l10n.t('{0} cannot be reached: {1}', name, reason(error)), action: doctor(id) };
    case 'host-key':
      return {
        message: l10n.t('{0} shows another host key than expected: its container was started again, or another machine answers at its address. Nothing was sent. {1}', name, trim(error.message)),
        action: { title: l10n.t('Check Host Key…'), command: 'runpod.checkHostKey', args: [{ podId: id }] },
      };
    case 'auth':
      // RunPod's proxy asks the account for its keys, the pod's own sshd knows those it was created with.
      if (isProxy(error))
        return {
          message: l10n.t('RunPod’s proxy to {0} accepts only the SSH keys of the account, and none of yours is among them.', name),
          action: { title: l10n.t('Add SSH Key to Account'), command: 'runpod.addSshKey' },
        };
      if (isSshError(error.cause, 'key-locked'))
        return { message: l10n.t('{0} takes the SSH key {1}, but its passphrase was not given.', name, String(error.cause.params.path ?? '')), action: doctor(id) };
      return { message: l10n.t('{0} accepts none of the SSH keys. Keys reach a pod only when it is created.', name), action: doctor(id) };
    case 'no-api-key':
      return { message: l10n.t('No RunPod API key is set.'), action: setKey() };
    case 'api':
      return error.cause === undefined ? { message: error.message } : explain(error.cause);
  }
}

/** Somebody else's words as a sentence, for one of ours may follow. */
const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);
/** Whether it was RunPod's proxy that answered. A pod of its own may be at the same host, at another port. */
const isProxy = ({ facts: { host, port }, pod }: PodUnavailableError): boolean => host !== undefined && host === pod?.ssh.proxy?.host && port === pod.ssh.proxy.port;

const reason = (error: Error): string => trim(error.cause === undefined ? error.message : messageOf(error.cause));
const trim = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
