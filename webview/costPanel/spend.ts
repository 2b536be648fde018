import { byDay, byPod, type DaySpend, type PodSpend } from '../../src/pods/spendHistory';
import type { CostsMessage, PanelPod } from '../../src/editor/costPanel/messages';
import type { Words } from '../../src/editor/costPanel/words';
import { Chart } from './chart';
import { about, dayText, fill, h, usd } from './dom';
import { Table } from './table';

const RANGES = [7, 30, 90];

/** Spend per day, of all pods or one, and per pod. */
export class SpendSections {
  readonly elements: HTMLElement[];
  readonly #chart: Chart;
  readonly #dayTable: Table<DaySpend>;
  readonly #podTable: Table<PodSpend>;
  readonly #pod: HTMLSelectElement;
  readonly #range: HTMLSelectElement;
  readonly #empty: HTMLElement;
  readonly #filled: HTMLElement;
  readonly #perPod: HTMLElement;
  readonly #unreadable = h('p', { class: 'problem' });
  #days: readonly DaySpend[] = [];
  #costs: CostsMessage | undefined;
  #named = new Map<string, PanelPod>();

  constructor(private readonly words: Words, onRange: (days: number) => void) {
    this.#chart = new Chart({
      height: 240,
      // Drawn behind each other: the whole day first, what is billed over it.
      series: [
        { label: words.unbilled, color: '--vscode-charts-orange', bars: true },
        { label: words.billed, color: '--vscode-charts-blue', bars: true },
      ],
      scales: { x: { time: false, range: (_u, min, max) => [min - 0.6, max + 0.6] }, y: { range: (_u, _min, max) => [0, Math.max(max * 1.1, 0.01)] } },
      axes: [
        { splits: (u) => this.#splits(u.width), values: (_u, splits) => splits.map((i) => (this.#days[i] ? dayText(this.#days[i].day) : '')) },
        { values: (_u, splits) => splits.map((v) => `$${v.toFixed(splits.every(Number.isInteger) ? 0 : 2)}`), size: 64 },
      ],
      describe: (i) => this.#describe(i),
    });
    const day: ConstructorParameters<typeof Table<DaySpend>>[1] = [
      { title: words.day, text: (d) => dayText(d.day), sort: (d) => d.day },
      { title: words.billed, text: (d) => usd(d.billed), sort: (d) => d.billed, number: true },
      { title: words.unbilled, text: (d) => about(d.unbilled), sort: (d) => d.unbilled, number: true },
      { title: words.total, text: (d) => usd(d.billed + d.unbilled), sort: (d) => d.billed + d.unbilled, number: true },
    ];
    this.#dayTable = new Table(words.perDay, day);
    this.#podTable = new Table(words.perPod, [
      { title: words.pod, text: (p) => this.#name(p.podId), sort: (p) => this.#name(p.podId) },
      { title: words.state, text: (p) => this.#named.get(p.podId)?.state ?? '', sort: (p) => this.#named.get(p.podId)?.state ?? '' },
      { title: words.total, text: (p) => usd(p.total), sort: (p) => p.total, number: true },
      { title: words.gpu, text: (p) => usd(p.gpu), sort: (p) => p.gpu, number: true },
      { title: words.cpu, text: (p) => usd(p.cpu), sort: (p) => p.cpu, number: true },
      { title: words.disk, text: (p) => usd(p.disk), sort: (p) => p.disk, number: true },
      { title: words.unbilled, text: (p) => about(p.unbilled), sort: (p) => p.unbilled, number: true },
    ]);
    this.#pod = h('select', { onchange: () => this.#paint() });
    this.#range = h('select', { onchange: () => onRange(Number(this.#range.value)) }, ...RANGES.map((n) => h('option', { value: String(n) }, fill(words.days, n))));
    this.#empty = h('p', { class: 'empty' }, words.noSpend);
    this.#filled = h('div', {}, this.#chart.element, h('details', {}, h('summary', {}, words.showTable), this.#dayTable.element));
    this.#perPod = h('section', { 'aria-labelledby': 'per-pod' }, h('div', { class: 'head' }, h('h2', { id: 'per-pod' }, words.perPod)), this.#podTable.element, this.#unreadable);
    this.elements = [
      h(
        'section',
        { 'aria-labelledby': 'per-day' },
        h('div', { class: 'head' }, h('h2', { id: 'per-day' }, words.perDay), h('label', {}, words.pod, this.#pod), h('label', {}, words.span, this.#range)),
        this.#filled,
        this.#empty,
        h('p', { class: 'note' }, words.perDayNote),
      ),
      this.#perPod,
    ];
  }

  show(costs: CostsMessage): void {
    this.#costs = costs;
    this.#named = new Map(costs.pods.map((pod) => [pod.id, pod]));
    this.#range.value = String(costs.days);
    const billed = new Set(costs.rows?.map((row) => row.podId));
    offer(this.#pod, [{ value: '', text: this.words.allPods }, ...costs.pods.filter((pod) => billed.has(pod.id)).map((pod) => ({ value: pod.id, text: pod.name }))]);
    this.#paint();
  }

  #paint(): void {
    const costs = this.#costs;
    if (!costs) return;
    const { rows = [], from, now } = costs;
    this.#days = byDay(rows, from, now, this.#pod.value === '' ? undefined : this.#pod.value);
    const sum = this.#days.reduce((total, d) => total + d.billed + d.unbilled, 0);
    this.#filled.hidden = sum === 0;
    this.#empty.hidden = sum !== 0 || costs.rows === undefined;
    const most = this.#days.reduce<DaySpend | undefined>((a, d) => (a === undefined || d.billed + d.unbilled > a.billed + a.unbilled ? d : a), undefined);
    if (sum > 0 && most)
      this.#chart.show(
        [this.#days.map((_, i) => i), this.#days.map((d) => (d.unbilled > 0 ? d.billed + d.unbilled : null)), this.#days.map((d) => d.billed)],
        fill(this.words.spendChart, dayText(from), dayText(now), usd(sum), dayText(most.day), usd(most.billed + most.unbilled)),
      );
    this.#dayTable.show([...this.#days].reverse());
    const pods = byPod(rows, from);
    this.#podTable.show(pods);
    this.#perPod.hidden = pods.length === 0;
    const unreadable = pods.reduce((n, p) => n + p.unreadable, 0);
    this.#unreadable.textContent = unreadable > 0 ? fill(this.words.unreadable, unreadable) : '';
  }

  #splits(width: number): number[] {
    const step = Math.max(1, Math.ceil(this.#days.length / Math.max(1, Math.floor(width / 90))));
    // From today backwards, so that the last bar has its date.
    return this.#days.map((_, i) => i).filter((i) => (this.#days.length - 1 - i) % step === 0);
  }

  #describe(i: number): string {
    const day = this.#days[i];
    if (!day) return '';
    const more = day.unbilled > 0 ? `, ${this.words.unbilled} ${about(day.unbilled)}` : '';
    return `${dayText(day.day)}: ${this.words.billed} ${usd(day.billed)}${more}`;
  }

  #name(podId: string): string {
    return this.#named.get(podId)?.name ?? podId;
  }
}

/** Fills a choice anew, keeping what is chosen where it is still there. */
export function offer(select: HTMLSelectElement, options: readonly { readonly value: string; readonly text: string }[]): void {
  const before = [...select.options].map((o) => `${o.value} ${o.text}`).join('\n');
  if (before === options.map((o) => `${o.value} ${o.text}`).join('\n')) return;
  const chosen = select.value;
  select.replaceChildren(...options.map((o) => h('option', { value: o.value }, o.text)));
  if (options.some((o) => o.value === chosen)) select.value = chosen;
}
