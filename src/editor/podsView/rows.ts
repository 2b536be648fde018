import { l10n, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, Uri } from 'vscode';
import { burnOf, balanceEnd, stoppedStoragePerHour, mayBill } from '../../pods/money';
import { isLostAtZero } from '../../pods/outlook';
import type { KnownAccount } from '../../pods/balance';
import type { PodsState } from '../../pods/store';
import { timeLeftOf } from '../../pods/timeLeft';
import type { Pod, PodPort, UnreadablePod } from '../../runpod/types';
import { balanceWords } from '../balanceWords';
import type { Finding } from '../../pods/guard/secondLook';
import { findingMark, isLimited, limitNote } from '../guard/words';
import type { CommandId } from '../ids';
import { gigabytes, localTime, longTime, money, rate, shortGpu, shortTime, tinyTime } from '../words';
import { proxyUrl, type PodsNode } from './nodes';
import { lookOf, stateWord, type PodLook } from './state';

/** Rows carry this scheme, so that the decoration provider can grey them when the list is old. */
export const ROW_SCHEME = 'runpod-row';

/** When $0 is so near, a row says that its data would be deleted; until then its tooltip does. */
const LOST_SOON_MS = 12 * 3_600_000;

/** Longer names are shortened in rows: a sidebar of 320 px shows so many letters beside a price. */
const NAME_LETTERS = 28;

export interface RowContext {
  readonly state: PodsState;
  /** ms since 1970 by the API's clock. */
  readonly now: number;
  readonly activePod: string | undefined;
  /** Where several accounts are known, the name of the one in use. */
  readonly accountName?: string | undefined;
  /** What somebody has to decide about a pod. */
  readonly unsolved?: (podId: string) => Finding | undefined;
}

const ICONS: Readonly<Record<PodLook, readonly [icon: string, color: string | undefined]>> = {
  running: ['circle-filled', 'testing.iconPassed'],
  'waiting-ssh': ['loading~spin', 'testing.iconPassed'],
  changing: ['loading~spin', undefined],
  stopped: ['circle-outline', undefined],
  error: ['error', 'testing.iconFailed'],
  unknown: ['question', 'testing.iconQueued'],
};

/** Account row: `$18.42 left   team · ~26h at $0.71/hr`. */
export function accountRow({ state, now, accountName }: RowContext): TreeItem {
  const account = state.account;
  const typed = account?.typed;
  const known = isKnown(account);
  const label = known || accountName === undefined ? leftWords(account) : accountName;
  const item = new TreeItem(label);
  const end = balanceEnd(account);
  const perHour = account?.spendPerHour === undefined ? undefined : rate(account.spendPerHour);
  // How long it lasts comes first: a narrow sidebar cuts from the right.
  const lasts = end === undefined ? perHour && l10n.t('spending {0}', perHour) : perHour === undefined ? l10n.t('~{0}', tinyTime(end - now)) : l10n.t('~{0} at {1}', tinyTime(end - now), perHour);
  const whose = typed && l10n.t('typed {0} ago', tinyTime(now - typed.at));
  item.description = [known ? accountName : undefined, lasts, whose].filter(Boolean).join(' · ');
  item.accessibilityInformation = { label: [label, item.description].filter((words) => words !== '').join(', ') };
  if (typed) item.tooltip = balanceWords(account, now).join('\n');
  else item.tooltip = end === undefined ? l10n.t('How long the balance lasts is unknown.') : l10n.t('At this rate, storage included, the balance is gone in about {0}, {1}. Then running pods stop, and those without a network volume are deleted.', longTime(end - now), localTime(end));
  item.iconPath = new ThemeIcon('credit-card');
  item.contextValue = 'account';
  return item;
}

/** Whether there is anything to say of the account's money. */
export const isKnown = (account: KnownAccount | undefined): boolean => account?.balance !== undefined || account?.spendPerHour !== undefined;

/** `$18.42 left`. */
export const leftWords = (account: KnownAccount | undefined): string =>
  account?.typed?.kind === 'budget' ? l10n.t('{0} of your budget left', money(account.balance, { estimate: true })) : l10n.t('{0} left', money(account?.balance, { estimate: account?.typed !== undefined }));

/** `llama-ft   $0.69/hr · 3h 12m · 4090`: name, money, time, hardware, always in that order. */
export function podRow(pod: Pod, context: RowContext): TreeItem {
  const look = lookOf(pod);
  const item = new TreeItem(shortName(pod.name), TreeItemCollapsibleState.Collapsed);
  item.description = describe(pod, look, context);
  const stale = context.state.problem !== undefined;
  const finding = context.unsolved?.(pod.id);
  const [icon, color] = finding ? ['warning', 'list.warningForeground'] : ICONS[look];
  item.iconPath = new ThemeIcon(icon.replace('~spin', stale ? '' : '~spin'), stale ? new ThemeColor('disabledForeground') : color ? new ThemeColor(color) : undefined);
  item.resourceUri = rowUri(pod.id, stale ? 'stale' : finding ? 'unsolved' : '');
  item.contextValue = contextOf(pod);
  const state = stateWord(pod);
  // Said once, where the description begins with it.
  item.accessibilityInformation = { label: item.description.startsWith(state) ? `${pod.name}, ${item.description}` : `${pod.name}, ${state}, ${item.description}` };
  return item;
}

/** A name leaves room for price and time; what tells runs apart often stands at its end. */
const shortName = (name: string): string => (name.length <= NAME_LETTERS ? name : `${name.slice(0, NAME_LETTERS - 10)}…${name.slice(-9)}`);

export const rowUri = (podId: string, decoration: '' | 'stale' | 'unsolved'): Uri => Uri.from({ scheme: ROW_SCHEME, authority: podId, path: '/', query: decoration });

function describe(pod: Pod, look: PodLook, { state, now, activePod, unsolved }: RowContext): string {
  const parts: string[] = [];
  let remark: string | undefined;
  let after: string | undefined;
  const finding = unsolved?.(pod.id);
  const mark = finding && findingMark(finding, now);
  if (look === 'stopped') {
    parts.push(l10n.t('stopped'));
    if (mark !== undefined) parts.push(mark);
    const storage = stoppedStoragePerHour(pod);
    if (storage > 0) parts.push(l10n.t('storage {0}', rate(storage, { estimate: true })));
  } else {
    if (look === 'changing' || look === 'waiting-ssh' || look === 'error' || look === 'unknown') parts.push(stateWord(pod));
    if (mark !== undefined && finding?.kind === 'stuck') parts.push(mark);
    parts.push(rate(pod.costPerHour));
    if (mark !== undefined && (finding?.kind === 'orphan' || finding?.kind === 'unconfirmed')) parts.push(mark);
    const left = timeLeftOf(pod, balanceEnd(state.account));
    const note = limitNote(pod, now);
    const { remark: said } = note;
    const alarm = finding?.kind === 'past-limit' ? mark : note.alarm;
    remark = said;
    const time = left && (left.by === 'balance' ? l10n.t('{0} to $0', tinyTime(left.at - now)) : shortTime(left.at - now));
    if (alarm ?? time) parts.push(alarm ?? time ?? '');
    // Beside an alarm the time that the balance leaves comes last: a narrow sidebar cuts from the right.
    if (alarm !== undefined) after = time;
  }
  const hardware = hardwareOf(pod);
  if (hardware) parts.push(hardware);
  if (after !== undefined) parts.push(after);
  const zero = balanceEnd(state.account);
  if (zero !== undefined && zero - now < LOST_SOON_MS && state.account?.typed?.kind !== 'budget' && isLostAtZero(pod)) parts.push(l10n.t('⚠ data lost at $0'));
  if (remark !== undefined) parts.push(remark);
  if (pod.id === activePod) parts.push(l10n.t('active'));
  return parts.join(' · ');
}

export function hardwareOf(pod: Pod): string | undefined {
  if (pod.gpu) return pod.gpu.count === 0 ? l10n.t('no GPU') : shortGpu(pod.gpu.id, pod.gpu.count);
  if (pod.cpu) return l10n.t('{0} vCPU', pod.cpu.vcpuCount);
  // A start that found no GPU: some answers say 0, others leave it out.
  return pod.status === 'RUNNING' ? l10n.t('no GPU') : undefined;
}

/** Tokens that menus match with regular expressions: what the API allows, and what can be opened. */
function contextOf(pod: Pod): string {
  const tokens = ['pod', ...pod.actions.map((a) => `can-${a}`), mayBill(pod) ? 'billing' : 'stopped'];
  if (pod.status === 'RUNNING') tokens.push('running');
  if (pod.locked) tokens.push('locked');
  if (isLimited(pod)) tokens.push('limited');
  if (pod.mount?.kind === 'network') tokens.push('network');
  if (pod.ssh.direct) tokens.push('direct');
  else if (pod.ssh.proxy && pod.status === 'RUNNING') tokens.push('proxy');
  return `${tokens.join(' ')} `;
}

/** A machine connected by hand: no price and no life of RunPod's, but its folder and terminal. */
export function machineRow(machine: Pod, connection: string, { activePod }: RowContext): TreeItem {
  const item = new TreeItem(machine.name);
  item.description = [machine.mount?.path, connection, machine.id === activePod ? l10n.t('active') : undefined].filter(Boolean).join(' · ');
  item.iconPath = new ThemeIcon('remote');
  item.tooltip = l10n.t('A machine of .runpod_config.json. RunPod does not know it, so nothing is known of its cost.');
  item.contextValue = 'machine running direct ';
  return item;
}

/** A button of a view whose message tells why there is nothing to see, or nothing new. */
export function remedyRow({ title, command }: Extract<PodsNode, { kind: 'remedy' }>): TreeItem {
  const item = new TreeItem(title);
  item.iconPath = new ThemeIcon(REMEDY_ICONS[command] ?? 'arrow-right');
  item.command = { title, command };
  item.contextValue = 'remedy ';
  return item;
}

const REMEDY_ICONS: Readonly<Partial<Record<CommandId, string>>> = { 'runpod.setApiKey': 'key', 'runpod.refreshPods': 'refresh', 'runpod.showLog': 'output' };

/** A pod that bills may hide behind a row we cannot read, so the row says so and leads to the console. */
export function unreadableRow(row: UnreadablePod): TreeItem {
  const item = new TreeItem(row.name ?? row.id ?? l10n.t('(unreadable)'));
  item.description = l10n.t('RunPod sent a pod this version can’t read');
  item.iconPath = new ThemeIcon('question', new ThemeColor('testing.iconQueued'));
  item.tooltip = l10n.t('It may be running and billing. Look at it in the console.\n{0}', row.problem);
  item.contextValue = 'unreadable ';
  item.accessibilityInformation = { label: `${row.name ?? row.id ?? l10n.t('(unreadable)')}, ${item.description}` };
  item.command = { title: l10n.t('Open in Console'), command: 'runpod.openPodInConsole' satisfies CommandId, arguments: [{ podId: row.id }] };
  return item;
}

export function childrenOf(pod: Pod): PodsNode[] {
  const nodes: PodsNode[] = [{ kind: 'connection', podId: pod.id }];
  if (pod.mount || pod.diskGb !== undefined) nodes.push({ kind: 'storage', podId: pod.id });
  for (const port of portsOf(pod)) nodes.push({ kind: 'port', podId: pod.id, port });
  nodes.push({ kind: 'log', podId: pod.id }, { kind: 'console', podId: pod.id });
  if (pod.status === 'RUNNING') nodes.push({ kind: 'terminal', podId: pod.id });
  return nodes;
}

/** The exposed ports without 22, which is the connection's; with the public number where there is one. */
function portsOf(pod: Pod): PodPort[] {
  return pod.ports.flatMap((text): PodPort[] => {
    const match = /^(\d+)\/(\w+)$/.exec(text);
    if (!match || text === '22/tcp') return [];
    const wanted = Number(match[1]);
    const live = pod.runtime?.ports.find((p) => p.private === wanted && p.type === match[2]);
    return [live ?? { private: wanted, type: match[2] ?? 'tcp' }];
  });
}

/** Below a pod: what a person acts on. */
export function childRow(node: Exclude<PodsNode, { kind: 'account' | 'remedy' | 'pod' | 'machine' | 'unreadable' | 'run' | 'runs' }>, pod: Pod, connection: string, storage?: string): TreeItem {
  const make = (label: string, icon: string, description: string, command: CommandId, ...args: unknown[]): TreeItem => {
    const item = new TreeItem(label);
    item.iconPath = new ThemeIcon(icon);
    item.description = description;
    item.command = { title: label, command, arguments: args };
    item.contextValue = `${node.kind} `;
    item.accessibilityInformation = { label: description === '' ? label : `${label}, ${description}` };
    return item;
  };
  switch (node.kind) {
    case 'connection': {
      const item = make(l10n.t('Connection'), 'plug', connection, 'runpod.doctor', node);
      item.contextValue = pod.ssh.direct ? 'connection direct ' : 'connection ';
      return item;
    }
    case 'storage':
      return storageRow(pod, storage);
    case 'port': {
      const { port } = node;
      const http = port.type === 'http';
      if (pod.status !== 'RUNNING') {
        const item = make(`${port.private}/${port.type}`, http ? 'globe' : 'broadcast', l10n.t('not running'), 'runpod.openPort', node);
        // There is nothing to open.
        delete item.command;
        item.contextValue = 'port-closed ';
        return item;
      }
      const where = http ? l10n.t('public, no login') : port.public === undefined ? l10n.t('not mapped yet') : `${port.ip ?? ''}:${port.public}`;
      const item = make(`${port.private}/${port.type}`, http ? 'globe' : 'broadcast', where, 'runpod.openPort', node);
      if (http) item.tooltip = l10n.t('{0}\nAnyone who has this address can open it.', proxyUrl(pod.id, port.private));
      return item;
    }
    case 'log':
      return make(l10n.t('Log'), 'output', l10n.t('container and system'), 'runpod.showPodLog', node);
    case 'console':
      return make(l10n.t('Page in the Console'), 'link-external', '', 'runpod.openPodInConsole', node);
    case 'terminal':
      return make(l10n.t('Web Terminal'), 'link-external', l10n.t('in the console'), 'runpod.openWebTerminal', node);
  }
}

/** @param figures what was measured of it, and when. */
function storageRow(pod: Pod, figures: string | undefined): TreeItem {
  const { mount } = pod;
  const item = new TreeItem(mount?.path ?? l10n.t('Container disk'));
  item.iconPath = new ThemeIcon('database');
  // Without direct SSH there are no files.
  item.contextValue = pod.status === 'RUNNING' && pod.ssh.direct ? 'storage running ' : 'storage ';
  if (mount?.kind === 'persistent') item.description = l10n.t('{0} volume · lost on terminate and at $0', gigabytes(mount.sizeGb));
  else if (mount) item.description = l10n.t('network volume · kept on terminate');
  else item.description = l10n.t('{0} · lost on stop', gigabytes(pod.diskGb ?? 0));
  if (figures !== undefined) item.description = `${figures} · ${item.description}`;
  item.accessibilityInformation = { label: `${mount?.path ?? l10n.t('Container disk')}, ${item.description}` };
  item.tooltip = [
    mount?.kind === 'persistent' ? l10n.t('{0} is a disk on the pod’s machine: kept by a stop, deleted by a terminate, and deleted when the balance reaches $0.', mount.path) : undefined,
    mount?.kind === 'network' ? l10n.t('{0} is network volume {1}: it outlives the pod.', mount.path, mount.volumeId) : undefined,
    mount ? undefined : l10n.t('This pod has no volume: a stop loses everything on it.'),
    pod.diskGb === undefined ? undefined : l10n.t('The container disk ({0}: everything outside {1}) is wiped by every stop and restart.', gigabytes(pod.diskGb), mount?.path ?? '–'),
  ].filter(Boolean).join('\n');
  return item;
}

/** Total of the running pods, for the view's title and the ticker. */
export const runningRate = (pods: readonly Pod[]): number => burnOf(pods).computePerHour;
