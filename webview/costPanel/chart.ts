import uPlot from 'uplot';
import { h } from './dom';

/** How a series is drawn: told apart by its dashes as well as by its colour. */
export interface Stroke {
  /** A theme colour, `--vscode-charts-blue`. */
  readonly color: string;
  readonly dash?: number[];
}

export interface ChartSpec {
  readonly series: readonly (Stroke & { readonly label: string; readonly bars?: boolean })[];
  readonly height: number;
  /** Options of the axes and scales. */
  readonly scales: uPlot.Scales;
  readonly axes: readonly [uPlot.Axis, uPlot.Axis];
  /** What is read out for one point. */
  readonly describe: (index: number) => string;
}

const themeColor = (name: string): string => getComputedStyle(document.body).getPropertyValue(name).trim() || getComputedStyle(document.body).color;

/**
 * A chart for eyes, keyboards and screen readers: an image with a spoken summary whose points are read out with the arrow
 * keys. It follows the theme and its container's width.
 */
export class Chart {
  readonly element: HTMLElement;
  readonly #plot: HTMLElement;
  readonly #readout = h('p', { class: 'readout', 'aria-live': 'polite' });
  readonly #legend = h('ul', { class: 'legend' });
  #uplot: uPlot | undefined;
  #data: uPlot.AlignedData = [[]];
  #at: number | undefined;

  constructor(private readonly spec: ChartSpec) {
    this.#plot = h('div', { class: 'chart', role: 'img', tabindex: '0', onkeydown: (event) => this.#key(event as KeyboardEvent), onblur: () => this.#point(undefined) });
    this.element = h('div', {}, this.#legend, this.#plot, this.#readout);
    new ResizeObserver(() => this.#fit()).observe(this.#plot);
    // The editor writes the theme on the body.
    new MutationObserver(() => this.#draw()).observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  }

  show(data: uPlot.AlignedData, summary: string): void {
    const length = data[0].length;
    this.#data = data;
    this.#plot.setAttribute('aria-label', summary);
    if (this.#at !== undefined && this.#at >= length) this.#point(undefined);
    if (!this.#uplot) this.#draw();
    else this.#uplot.setData(data);
  }

  #draw(): void {
    this.#uplot?.destroy();
    const text = themeColor('--vscode-foreground');
    const grid = { stroke: themeColor('--vscode-widget-border'), width: 1 };
    const [x, y] = this.spec.axes;
    this.#uplot = new uPlot(
      {
        width: Math.max(240, this.#plot.clientWidth),
        height: this.spec.height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, y: false },
        scales: this.spec.scales,
        axes: [{ stroke: text, grid: { show: false }, ticks: grid, size: 36, ...x }, { stroke: text, grid, ticks: grid, ...y }],
        series: [
          {},
          ...this.spec.series.map((s): uPlot.Series => {
            const color = themeColor(s.color);
            const bars = s.bars && uPlot.paths.bars?.({ size: [0.7, 60], align: 0 });
            return { label: s.label, stroke: color, width: s.bars ? 1 : 2, ...(s.dash ? { dash: s.dash } : {}), ...(bars ? { paths: bars, fill: color, points: { show: false } } : { points: { size: 4 } }) };
          }),
        ],
        hooks: { setCursor: [(u) => this.#hover(u.cursor.idx ?? undefined)] },
      },
      this.#data,
      this.#plot,
    );
    this.#legend.replaceChildren(...this.spec.series.map((s) => h('li', {}, sample(s), s.label)));
  }

  #fit(): void {
    if (this.#plot.clientWidth > 0) this.#uplot?.setSize({ width: this.#plot.clientWidth, height: this.spec.height });
  }

  #hover(index: number | undefined): void {
    const text = index === undefined ? '' : this.spec.describe(index);
    if (this.#readout.textContent !== text) this.#readout.textContent = text;
  }

  #key(event: KeyboardEvent): void {
    const last = this.#data[0].length - 1;
    if (last < 0) return;
    const from = this.#at;
    const to = { ArrowLeft: from === undefined ? last : from - 1, ArrowRight: from === undefined ? 0 : from + 1, Home: 0, End: last, Escape: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#point(event.key === 'Escape' ? undefined : Math.min(last, Math.max(0, to)));
  }

  #point(index: number | undefined): void {
    this.#at = index;
    const u = this.#uplot;
    if (!u) return;
    const x = index === undefined ? undefined : this.#data[0][index];
    u.setCursor(x === undefined ? { left: -10, top: -10 } : { left: u.valToPos(x, 'x'), top: u.bbox.height / devicePixelRatio / 2 });
    this.#hover(index);
  }
}

/** A piece of the line or bar, for the legend. */
function sample({ color, dash, bars }: Stroke & { readonly bars?: boolean }): HTMLCanvasElement {
  const canvas = h('canvas', { width: bars ? '24' : '56', height: '24', 'aria-hidden': 'true', ...(bars ? { class: 'bar' } : {}) });
  const pen = canvas.getContext('2d');
  if (!pen) return canvas;
  pen.strokeStyle = pen.fillStyle = themeColor(color);
  pen.lineWidth = 4;
  pen.setLineDash((dash ?? []).map((d) => d * 2));
  if (bars) pen.fillRect(2, 2, 20, 20);
  else {
    pen.moveTo(0, 12);
    pen.lineTo(56, 12);
    pen.stroke();
  }
  return canvas;
}
