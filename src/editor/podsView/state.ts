import { l10n } from 'vscode';
import type { Pod } from '../../runpod/types';

/** What a person needs to tell apart at a glance. */
export type PodLook = 'running' | 'waiting-ssh' | 'changing' | 'stopped' | 'error' | 'unknown';

export function lookOf(pod: Pod): PodLook {
  switch (pod.status) {
    case 'RUNNING':
      // The mapping of port 22 can come minutes after RUNNING; until then nothing can be opened.
      return pod.ssh.direct === undefined && pod.ssh.refused === undefined && pod.ports.includes('22/tcp') ? 'waiting-ssh' : 'running';
    case 'PROVISIONING':
    case 'STARTING':
      return 'changing';
    case 'EXITED':
    case 'TERMINATED':
      return 'stopped';
    case 'ERROR':
      return 'error';
    case 'UNKNOWN':
      return 'unknown';
  }
}

/** State as a word, for people who do not see the icon's colour. */
export function stateWord(pod: Pod): string {
  switch (lookOf(pod)) {
    case 'running':
      return l10n.t('running');
    case 'waiting-ssh':
      return l10n.t('running, waiting for SSH');
    case 'changing':
      return pod.status === 'PROVISIONING' ? l10n.t('finding a machine') : l10n.t('starting');
    case 'stopped':
      return l10n.t('stopped');
    case 'error':
      return l10n.t('failed');
    case 'unknown':
      return l10n.t('state unknown');
  }
}

const ORDER: Readonly<Record<PodLook, number>> = { running: 0, 'waiting-ssh': 0, unknown: 0, error: 1, changing: 1, stopped: 2 };

/** `run-9` before `run-10`. */
const inOrder = new Intl.Collator(undefined, { numeric: true });

/** Running, changing, stopped; inside, the dearest first, then by name. */
export function byImportance(a: Pod, b: Pod): number {
  return ORDER[lookOf(a)] - ORDER[lookOf(b)] || (b.costPerHour ?? Infinity) - (a.costPerHour ?? Infinity) || inOrder.compare(a.name, b.name);
}
