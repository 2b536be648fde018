import { l10n, MarkdownString } from 'vscode';
import type { PodSession } from '../../pods/session';
import { balanceEnd, costSoFar, mayBill, storagePerHour, stoppedStoragePerHour } from '../../pods/money';
import { isLostAtZero } from '../../pods/outlook';
import { timeLeftOf } from '../../pods/timeLeft';
import type { Pod } from '../../runpod/types';
import { findingWords, guardLine } from '../guard/words';
import { gigabytes, localTime, longTime, money, plainMarkdown, rate } from '../words';
import { hardwareOf, type RowContext } from './rows';
import { stateWord } from './state';

/** Everything the row has no room for. Built only when somebody hovers. */
export function podTooltip(pod: Pod, session: PodSession | undefined, { state, now, unsolved }: RowContext): MarkdownString {
  const text = new MarkdownString(undefined, true);
  text.appendMarkdown(`**${plainMarkdown(pod.name)}** — ${stateWord(pod)}${pod.locked ? ` · ${l10n.t('locked')}` : ''}\n\n`);
  const finding = unsolved?.(pod.id);
  if (finding) text.appendMarkdown(`$(warning) ${plainMarkdown(findingWords(finding, now))}\n\n`);
  const rows: [string, string][] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value) rows.push([name, value]);
  };
  if (mayBill(pod)) {
    add(l10n.t('Rate'), l10n.t('{0} compute, {1} storage', rate(pod.costPerHour), rate(storagePerHour(pod), { estimate: true })));
    add(l10n.t('So far'), pod.startedAt && l10n.t('{0} since {1}', money(costSoFar(pod, now), { estimate: true }), localTime(pod.startedAt)));
    const left = timeLeftOf(pod, balanceEnd(state.account));
    add(l10n.t('Time left'), left ? l10n.t(left.by === 'balance' ? '{0}, until the balance is gone ({1})' : left.by === 'budget' ? '{0}, until its budget is spent ({1})' : '{0}, until its own limit ({1})', longTime(left.at - now), localTime(left.at)) : l10n.t('unknown: no limit, and the balance cannot be read'));
    add(l10n.t('Limit'), guardLine(pod));
  } else {
    add(l10n.t('Rate'), l10n.t('no compute; storage {0}', rate(stoppedStoragePerHour(pod), { estimate: true })));
  }
  add(l10n.t('Hardware'), hardwareText(pod));
  add(l10n.t('Where'), [pod.dataCenterId, pod.cloud === 'COMMUNITY' ? l10n.t('Community Cloud') : pod.cloud ? l10n.t('Secure Cloud') : undefined].filter(Boolean).join(' · '));
  add(l10n.t('Image'), pod.image);
  const runtime = pod.runtime;
  if (runtime && mayBill(pod)) {
    const gpus = runtime.gpus.map((g) => l10n.t('GPU {0} % (memory {1} %)', g.util ?? '?', g.memoryUtil ?? '?'));
    const cpu = runtime.cpuUtil === undefined ? [] : [l10n.t('CPU {0} % (memory {1} %)', Math.round(runtime.cpuUtil), runtime.memoryUtil === undefined ? '?' : Math.round(runtime.memoryUtil))];
    add(l10n.t('In use'), [...gpus, ...cpu].join(', '));
  }
  add(l10n.t('Stop'), l10n.t('loses everything outside {0}', pod.mount?.path ?? l10n.t('nothing: there is no volume')));
  add(l10n.t('Terminate'), pod.mount?.kind === 'network' ? l10n.t('keeps the network volume') : l10n.t('deletes everything'));
  add(l10n.t('At $0'), isLostAtZero(pod) ? l10n.t('deleted with all its data: it has no network volume') : l10n.t('stops; the network volume is kept for a while'));
  const trust = session?.trust;
  if (trust)
    add(
      l10n.t('Identity'),
      trust.verdict === 'proven'
        ? l10n.t('{0}, as in its own log', trust.fingerprint)
        : trust.verdict === 'pinned'
          ? l10n.t('{0}, as before in this start', trust.fingerprint)
          : l10n.t('{0}, taken on first use', trust.fingerprint),
    );
  add(l10n.t('Id'), pod.id);
  if (state.problem && state.fetchedAt !== undefined) add(l10n.t('Last seen'), localTime(state.fetchedAt));
  text.appendMarkdown('|  |  |\n|:--|:--|\n');
  for (const [name, value] of rows) text.appendMarkdown(`| ${plainMarkdown(name)} | ${plainMarkdown(value)} |\n`);
  if (isLostAtZero(pod) && pod.ssh.direct) {
    text.isTrusted = { enabledCommands: ['runpod.copyWorkspace'] };
    text.appendMarkdown(`\n[${l10n.t('Copy Data to This Machine…')}](command:runpod.copyWorkspace?${encodeURIComponent(JSON.stringify([{ podId: pod.id }]))})`);
  }
  return text;
}

function hardwareText(pod: Pod): string | undefined {
  if (pod.gpu && pod.gpu.count > 0) return `${pod.gpu.count} × ${pod.gpu.id}${pod.gpu.vcpuCount ? `, ${pod.gpu.vcpuCount} vCPU` : ''}${pod.gpu.memoryGb ? `, ${gigabytes(pod.gpu.memoryGb)}` : ''}`;
  if (pod.cpu) return `${pod.cpu.id}, ${pod.cpu.vcpuCount} vCPU${pod.cpu.memoryGb ? `, ${gigabytes(pod.cpu.memoryGb)}` : ''}`;
  return hardwareOf(pod);
}
