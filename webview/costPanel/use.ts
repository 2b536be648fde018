import type { UseSample } from '../../src/pods/useHistory';
import type { UseMessage } from '../../src/editor/costPanel/messages';
import type { Words } from '../../src/editor/costPanel/words';
import { Chart } from './chart';
import { fill, h, timeText } from './dom';
import { offer } from './spend';
import { Table } from './table';

/** How busy a running pod is, over the last hour. */
export class UseSection {
  readonly element: HTMLElement;
  readonly #chart: Chart;
  readonly #table: Table<UseSample>;
  readonly #pod: HTMLSelectElement;
  readonly #label: HTMLElement;
  readonly #filled: HTMLElement;
  readonly #empty: HTMLElement;
  #message: UseMessage | undefined;
  #samples: readonly UseSample[] = [];

  constructor(private readonly words: Words) {
    const percent = (_u: unknown, splits: number[]): string[] => splits.map((v) => `${v} %`);
    this.#chart = new Chart({
      height: 220,
      series: [
        { label: words.gpuUse, color: '--vscode-charts-blue' },
        { label: words.gpuMemory, color: '--vscode-charts-purple', dash: [8, 4] },
        { label: words.cpuUse, color: '--vscode-charts-green', dash: [2, 3] },
        { label: words.memory, color: '--vscode-charts-orange', dash: [10, 3, 2, 3] },
      ],
      scales: { x: { time: true }, y: { range: [0, 100] } },
      axes: [{ values: (_u, splits) => splits.map((s) => timeText(s * 1000)), space: 90 }, { values: percent, size: 64 }],
      describe: (i) => this.#describe(i),
    });
    this.#table = new Table(words.use, [
      { title: words.time, text: (s) => timeText(s.at) },
      { title: words.gpuUse, text: (s) => this.#percent(s.gpu), number: true },
      { title: words.gpuMemory, text: (s) => this.#percent(s.gpuMemory), number: true },
      { title: words.cpuUse, text: (s) => this.#percent(s.cpu), number: true },
      { title: words.memory, text: (s) => this.#percent(s.memory), number: true },
    ]);
    this.#pod = h('select', { onchange: () => this.#paint() });
    this.#label = h('label', {}, words.pod, this.#pod);
    this.#filled = h('div', {}, this.#chart.element, h('details', {}, h('summary', {}, words.showTable), this.#table.element));
    this.#empty = h('p', { class: 'empty' }, words.noUse);
    this.element = h(
      'section',
      { 'aria-labelledby': 'use' },
      h('div', { class: 'head' }, h('h2', { id: 'use' }, words.use), this.#label),
      this.#filled,
      this.#empty,
      h('p', { class: 'note' }, words.useNote),
    );
  }

  show(message: UseMessage): void {
    this.#message = message;
    offer(this.#pod, message.pods.map((pod) => ({ value: pod.id, text: pod.name })));
    if (message.show !== undefined && message.pods.some((pod) => pod.id === message.show)) {
      this.#pod.value = message.show;
      this.element.scrollIntoView();
    }
    this.#paint();
  }

  #paint(): void {
    const pod = this.#message?.pods.find((p) => p.id === this.#pod.value);
    this.#samples = pod?.samples ?? [];
    const last = this.#samples.at(-1);
    this.#filled.hidden = last === undefined;
    this.#empty.hidden = last !== undefined;
    this.#label.hidden = this.#message?.pods.length === 0;
    if (!pod || !last) return;
    const line = (of: (s: UseSample) => number | undefined): (number | null)[] => this.#samples.map((s) => of(s) ?? null);
    this.#chart.show(
      [this.#samples.map((s) => s.at / 1000), line((s) => s.gpu), line((s) => s.gpuMemory), line((s) => s.cpu), line((s) => s.memory)],
      fill(this.words.useChart, pod.name, ...[last.gpu, last.gpuMemory, last.cpu, last.memory].map((v) => this.#percent(v))),
    );
    this.#table.show([...this.#samples].reverse());
  }

  #describe(i: number): string {
    const s = this.#samples[i];
    if (!s) return '';
    const { gpuUse, gpuMemory, cpuUse, memory } = this.words;
    return `${timeText(s.at)}: ${gpuUse} ${this.#percent(s.gpu)} · ${gpuMemory} ${this.#percent(s.gpuMemory)} · ${cpuUse} ${this.#percent(s.cpu)} · ${memory} ${this.#percent(s.memory)}`;
  }

  #percent(value: number | undefined): string {
    return value === undefined ? this.words.unknown : `${Math.round(value)} %`;
  }
}
