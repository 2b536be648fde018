import { l10n } from 'vscode';
import { placesText } from '../prompts/stock';
import { gigabytes, longTime, money, rate } from '../words';
import { endings, type Plan } from './plan';

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const about = (usd: number | undefined): string => money(usd, { estimate: usd !== undefined });

/** The page of a plan: no network, no style or script but its own. */
export function planHtml(plan: Plan, nonce: string, problems: readonly string[]): string {
  const { rows, disks, limits } = plan;
  const first = rows[0];
  const ends = endings(plan, { rate: (usd) => rate(usd, { estimate: true }), money: about }, first?.cost.storageStoppedPerHour ?? 0, first?.cost.networkPerMonth ?? 0);
  const item = (term: string, value: string, note = ''): string => `<div><dt>${escape(term)}</dt><dd>${escape(value)}${note === '' ? '' : `<small>${escape(note)}</small>`}</dd></div>`;
  const list = (lines: readonly string[]): string => (lines.length === 0 ? '' : `<ul>${lines.map((l) => `<li>${escape(l)}</li>`).join('')}</ul>`);
  const cloud = (c: string): string => (c === 'SECURE' ? l10n.t('Secure') : l10n.t('Community'));
  const title = l10n.t('Plan: {0}', plan.name);
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'">
<style nonce="${nonce}">${STYLE}</style></head><body><main>
<h1>${escape(title)}</h1>
<p class="lead">${escape(first ? l10n.t('Nothing has been bought. This is what would be.') : l10n.t('Nothing can be created from this profile as it is.'))}</p>
${problems.length === 0 ? '' : `<section class="problems" role="alert"><h2>${escape(l10n.t('To mend first'))}</h2>${list(problems)}</section>`}
<div class="buttons"><button id="create" ${first && problems.length === 0 ? '' : 'disabled'}>${escape(l10n.t('Create {0}', plan.name))}</button>
<button id="copy" class="secondary" ${plan.request ? '' : 'disabled'}>${escape(l10n.t('Copy Request'))}</button>
<button id="edit" class="secondary">${escape(l10n.t('Edit runpod.json'))}</button></div>
${first ? `<dl class="figures">
${item(l10n.t('An hour'), about(first.cost.perHour), l10n.t('{0} compute + {1} disks', rate(first.cost.computePerHour), rate(first.cost.storageRunningPerHour, { estimate: true })))}
${item(l10n.t('A working month'), about(first.cost.perWorkingMonth), l10n.t('8 h on 22 days, stopped between'))}
${limits?.limitMinutes === undefined ? item(l10n.t('At the time limit'), l10n.t('no limit'), l10n.t('it bills until it is stopped')) : item(l10n.t('At the time limit'), about(first.cost.atLimit), l10n.t('after {0}, then {1}', longTime(limits.limitMinutes * 60_000), limits.atLimit === 'stop' ? l10n.t('stop') : l10n.t('terminate')))}
${item(l10n.t('While stopped'), disks.volumeGb > 0 ? rate(first.cost.storageStoppedPerHour, { estimate: true }) : '$0.00/hr', disks.networkGb > 0 ? l10n.t('network volume: {0} a month in any case', about(first.cost.networkPerMonth)) : disks.volumeGb > 0 ? l10n.t('{0} volume', gigabytes(disks.volumeGb)) : l10n.t('nothing is kept'))}
</dl>` : ''}
${rows.length + plan.refused.length === 0 ? '' : `<h2>${escape(l10n.t('Tried in this order, until one is placed'))}</h2>
<table><thead><tr><th></th><th>${escape(l10n.t('Hardware'))}</th><th class="n">${escape(l10n.t('Memory'))}</th><th>${escape(l10n.t('Cloud'))}</th><th class="n">${escape(l10n.t('Compute'))}</th><th class="n">${escape(l10n.t('With disks'))}</th><th>${escape(l10n.t('Stock'))}</th></tr></thead><tbody>
${rows.map(({ candidate: c, cost }, i) => `<tr class="${c.stock === 'NONE' ? 'none' : ''}"><td class="n">${i + 1}</td><th scope="row">${escape(c.label)}</th><td class="n">${c.memoryGb === undefined ? '' : escape(gigabytes(c.memoryGb))}</td><td>${escape(cloud(c.cloud))}</td><td class="n">${escape(rate(c.perHour))}</td><td class="n">${escape(rate(cost.perHour, { estimate: true }))}</td><td>${escape(placesText(c.stock, c.dataCenters))}</td></tr>`).join('\n')}
${plan.refused.map(({ candidate: c, reason }) => `<tr class="refused"><td class="n">–</td><th scope="row">${escape(c.label)}</th><td class="n">${c.memoryGb === undefined ? '' : escape(gigabytes(c.memoryGb))}</td><td>${escape(cloud(c.cloud))}</td><td class="n">${escape(rate(c.perHour))}</td><td></td><td>${escape(reason === 'over-cap' ? l10n.t('not asked for: above maxPricePerHour') : l10n.t('not asked for: its price is not known'))}</td></tr>`).join('\n')}
</tbody></table>`}
${first ? `<h2>${escape(l10n.t('When it ends'))}</h2>
<dl class="ends">${item(l10n.t('Stop'), ends.stop)}${item(l10n.t('Terminate'), ends.terminate)}${limits === undefined ? '' : item(l10n.t('By itself'), limitWords(limits))}</dl>` : ''}
${plan.leaving.length === 0 ? '' : `<h2>${escape(l10n.t('Leaves this machine'))}</h2>${list(plan.leaving.map((l) => (l.from === 'environment' ? l10n.t('{0} of the environment, as {1}', l.name, l.to) : l10n.t('the secret {0} kept by the editor, as {1}', l.name, l.to)) + (l.required ? '' : l10n.t(' (if it is there)'))))}`}
${plan.setup === undefined ? '' : `<h2>${escape(l10n.t('Run once it is ready'))}</h2><pre>${escape(plan.setup)}</pre>`}
${plan.request ? `<h2>${escape(l10n.t('The request'))}</h2><pre id="request">${escape(JSON.stringify(plan.request, undefined, 2))}</pre><p class="note">${escape(l10n.t('Besides it, every pod gets 22/tcp, your public SSH keys and a mark by which it is found again.'))}</p>` : ''}
</main><script nonce="${nonce}">const host = acquireVsCodeApi(); for (const id of ['create', 'copy', 'edit']) document.getElementById(id).addEventListener('click', () => host.postMessage(id));</script></body></html>`;
}

function limitWords(limits: NonNullable<Plan['limits']>): string {
  const end = limits.atLimit === 'stop' ? l10n.t('It stops itself') : l10n.t('It deletes itself');
  const when = [
    limits.limitMinutes === undefined ? undefined : l10n.t('{0} after its start', longTime(limits.limitMinutes * 60_000)),
    limits.idleMinutes === undefined ? undefined : l10n.t('after {0} without use', longTime(limits.idleMinutes * 60_000)),
    limits.budgetUsd === undefined ? undefined : l10n.t('when a start has cost {0}', money(limits.budgetUsd)),
  ].filter((w) => w !== undefined);
  return `${end} ${when.join(l10n.t(', or '))}.`;
}

const STYLE = `
body { color: var(--vscode-foreground); font: var(--vscode-font-size)/1.5 var(--vscode-font-family); padding: 0 1.5em 2em; }
main { max-width: 62em; } h1 { font-weight: 600; margin: 1em 0 .2em; } h2 { font-size: 1.1em; margin: 1.6em 0 .5em; }
.lead, .note, small { color: var(--vscode-descriptionForeground); } .lead { margin: 0 0 1em; }
.buttons { display: flex; flex-wrap: wrap; gap: .5em; }
button { font: inherit; border: 1px solid var(--vscode-button-border, transparent); padding: .4em 1em; border-radius: 3px; cursor: pointer; background: var(--vscode-button-background); color: var(--vscode-button-foreground); }
button:hover { background: var(--vscode-button-hoverBackground); } button:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
button.secondary { background: var(--vscode-button-secondaryBackground); color: var(--vscode-button-secondaryForeground); border-color: var(--vscode-button-secondaryBorder, var(--vscode-contrastBorder, transparent)); }
button.secondary:hover { background: var(--vscode-button-secondaryHoverBackground); } button:disabled { opacity: .5; cursor: default; }
dl.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11em, 1fr)); gap: 1em; margin: 1.5em 0 0; }
dl.figures div { border: 1px solid var(--vscode-widget-border, var(--vscode-editorWidget-border, var(--vscode-contrastBorder, #8884))); border-radius: 5px; padding: .7em 1em; }
dl.figures dt { color: var(--vscode-descriptionForeground); } dl.figures dd { margin: 0; font-size: 1.5em; font-variant-numeric: tabular-nums; } small { display: block; font-size: .85rem; line-height: 1.4; }
dl.ends div { display: grid; grid-template-columns: 7em 1fr; padding: .2em 0; } dl.ends dd { margin: 0; } dl.ends dt { font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35em .8em .35em 0; vertical-align: top; font-weight: inherit; }
thead th { color: var(--vscode-descriptionForeground); } tbody tr { border-top: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, #8884)); } tbody th { font-weight: 600; white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } tr.none, tr.refused { color: var(--vscode-disabledForeground); }
.problems { border-left: 3px solid var(--vscode-editorError-foreground); padding-left: 1em; margin: 1em 0; } .problems h2 { margin-top: 0; }
pre { background: var(--vscode-textCodeBlock-background); padding: .8em 1em; overflow-x: auto; font-family: var(--vscode-editor-font-family); font-size: var(--vscode-editor-font-size); user-select: text; }
`;
