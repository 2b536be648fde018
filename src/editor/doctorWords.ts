import { l10n } from 'vscode';
import type { DoctorHint, DoctorStep, DoctorStepId } from '../pods/doctor';
import type { CommandId } from './ids';
import { money, rate } from './words';

export const stepName = (id: DoctorStepId): string =>
  ({
    'api-key': l10n.t('API key'),
    account: l10n.t('Account'),
    'ssh-key': l10n.t('SSH key'),
    pod: l10n.t('Pod'),
    address: l10n.t('Address'),
    port: l10n.t('Port'),
    banner: l10n.t('SSH server'),
    'host-key': l10n.t('Host key'),
    login: l10n.t('Login'),
    sftp: l10n.t('Files (SFTP)'),
    mount: l10n.t('Folder'),
  })[id];

/** What was found, in words. Codes we have no words for are shown with the other side's own. */
export function findingWords(step: DoctorStep): string {
  const p = (name: string): string => text(step.params[name]);
  if (step.outcome === 'not-reached') return l10n.t('not looked at: {0} has to work first', stepName(step.params['after'] as DoctorStepId));
  const words: Readonly<Record<string, () => string>> = {
    accepted: () => l10n.t('RunPod accepts it'),
    unauthorized: () => l10n.t('RunPod refuses it'),
    'no-key': () => l10n.t('none is set'),
    'balance-unknown': () => l10n.t('balance cannot be read with this key; pods work all the same'),
    'balance-gone': () => l10n.t('the balance is used up'),
    'balance-low': () => l10n.t('{0} left at {1}', amount(step, 'balance', money), amount(step, 'spendPerHour', rate)),
    balance: () => l10n.t('{0} left', amount(step, 'balance', money)),
    'own-key-unusable': () => l10n.t('our key cannot be used: {0}', p('detail') || p('path')),
    'own-key-open': () => l10n.t('{0} can be read by others on this machine (mode {1})', p('path'), p('mode')),
    'own-key': () => l10n.t('our key is {0}', p('path')),
    'own-key-in-pod': () => l10n.t('the pod was created with our key'),
    'other-key-in-pod': () => l10n.t('the pod was created with {0}', p('path')),
    'pod-without-keys': () => l10n.t('the pod was created without any SSH key'),
    'no-key-in-pod': () => l10n.t('none of your keys was given to the pod when it was created'),
    'own-key-in-account': () => l10n.t('our key is among the account’s'),
    'own-key-not-in-account': () => l10n.t('our key is not among the account’s; New Pod hands it over by itself'),
    running: () => l10n.t('running'),
    exited: () => l10n.t('stopped'),
    direct: () => `${p('host')}:${p('port')}`,
    'bad-address': () => l10n.t('the API tells {0}, which is no address of a pod', p('host')),
    'no-address-yet': () => l10n.t('no public port yet'),
    'ssh-port-not-exposed': () => l10n.t('22/tcp is not exposed'),
    'no-public-address': () => l10n.t('its machine has no public address'),
    open: () => l10n.t('answers in {0} ms', p('ms')),
    refused: () => l10n.t('nothing listens at {0}:{1}', p('host'), p('port')),
    timeout: () => l10n.t('no answer in time') + said(step),
    greeted: () => p('banner'),
    silent: () => l10n.t('the port is open, but says nothing'),
    'not-ssh': () => l10n.t('what answers is no SSH server'),
    mismatch: () => l10n.t('shown: {0}; expected: {1}', p('fingerprint'), p('expected')),
    'too-early': () => l10n.t('the pod has just started and cannot be told from the one before yet'),
    'log-unreadable': () => l10n.t('the pod’s log, which proves it, cannot be read') + said(step),
    proven: () => l10n.t('{0}, as in the pod’s own log', p('fingerprint')),
    pinned: () => l10n.t('{0}, as before in this start', p('fingerprint')),
    'first-use': () => l10n.t('{0}, taken on first use: the pod’s log does not name it', p('fingerprint')),
    'logged-in': () => l10n.t('as {0} with {1}', p('username'), p('key')),
    'auth-failed': () => l10n.t('the server accepts none of the keys'),
    'key-locked': () => l10n.t('the key needs its passphrase'),
    sftp: () => l10n.t('version {0}', p('version')),
    'no-sftp': () => l10n.t('the server offers none') + said(step),
    'no-mount': () => l10n.t('the pod has no volume: a stop loses everything on it'),
    writable: () => l10n.t('{0} can be written', p('path')),
    missing: () => l10n.t('{0} does not exist', p('path')),
    'no-access': () => l10n.t('{0} cannot be entered', p('path')) + said(step),
    full: () => l10n.t('{0} is full', p('path')),
    'not-writable': () => l10n.t('{0} cannot be written', p('path')) + said(step),
  };
  return words[step.code]?.() ?? (step.code.replaceAll('-', ' ') + said(step));
}

/** What to do about it, and the button that does it where there is one. */
export function hintWords(hint: DoctorHint): { readonly text: string; readonly action?: { readonly title: string; readonly command: CommandId } } {
  const hints: Record<DoctorHint, ReturnType<typeof hintWords>> = {
    'set-key': { text: l10n.t('Set a valid API key.'), action: { title: l10n.t('Set API Key'), command: 'runpod.setApiKey' } },
    'check-permissions': { text: l10n.t('The key’s permissions in the RunPod console may be too narrow.') },
    'check-network': { text: l10n.t('Check the network, VPN or proxy of this machine.') },
    'try-later': { text: l10n.t('Try again in a moment.') },
    'top-up': { text: l10n.t('Add credit in the RunPod console.'), action: { title: l10n.t('Open Console'), command: 'runpod.openPodInConsole' } },
    'make-ssh-key': { text: l10n.t('Move the broken key away; a new one is made at the next use.') },
    'protect-ssh-key': { text: l10n.t('Let only yourself read the key file (chmod 600).') },
    'create-pod-with-key': { text: l10n.t('Keys reach a pod only when it is created. Create a new one here, or add the key to ~/.ssh/authorized_keys in the web terminal.'), action: { title: l10n.t('New Pod'), command: 'runpod.createPod' } },
    'start-pod': { text: l10n.t('Start the pod.'), action: { title: l10n.t('Start Pod'), command: 'runpod.startPod' } },
    wait: { text: l10n.t('Wait a minute: a fresh start takes that long.') },
    'show-log': { text: l10n.t('The pod’s log may tell more.'), action: { title: l10n.t('Show Log'), command: 'runpod.showPodLog' } },
    refresh: { text: l10n.t('Refresh the list.'), action: { title: l10n.t('Refresh Pods'), command: 'runpod.refreshPods' } },
    'use-proxy-terminal': { text: l10n.t('Files need a direct address; a terminal works through RunPod’s proxy.'), action: { title: l10n.t('Open Terminal'), command: 'runpod.openTerminal' } },
    'expose-ssh-port': { text: l10n.t('Create the pod with 22/tcp exposed, as New Pod does.'), action: { title: l10n.t('New Pod'), command: 'runpod.createPod' } },
    'use-ssh-image': { text: l10n.t('The image starts no SSH server, or its start command replaces the one that does. RunPod’s own images start one.'), action: { title: l10n.t('Show Log'), command: 'runpod.showPodLog' } },
    'restart-pod': { text: l10n.t('Restart the pod.'), action: { title: l10n.t('Restart Pod'), command: 'runpod.restartPod' } },
    'compare-host-keys': { text: l10n.t('Do not connect until you know why: compare with the fingerprints in the pod’s log.'), action: { title: l10n.t('Check Host Key…'), command: 'runpod.checkHostKey' } },
    'unlock-ssh-key': { text: l10n.t('Enter the key’s passphrase, or load the key into an SSH agent.') },
    'install-sftp': { text: l10n.t('Install an SFTP server in the image (openssh-sftp-server).') },
    'add-storage': { text: l10n.t('Create pods with a volume to keep files over a stop.') },
    'free-space': { text: l10n.t('Delete files, or make the volume larger.') },
  };
  return hints[hint];
}

const text = (value: string | number | readonly string[] | undefined): string => (value === undefined ? '' : Array.isArray(value) ? value.join(', ') : String(value));
const said = (step: DoctorStep): string => (step.params['detail'] ? `: ${text(step.params['detail'])}` : '');
const amount = (step: DoctorStep, name: string, words: (usd: number | undefined) => string): string => {
  const value = step.params[name];
  return words(typeof value === 'number' ? value : undefined);
};
