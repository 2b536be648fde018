import plotCss from 'uplot/dist/uPlot.min.css';
import type { CostsMessage, FromView, IdleStorage, ToView } from '../../src/editor/costPanel/messages';
import type { Words } from '../../src/editor/costPanel/words';
import { h, usd } from './dom';
import pageCss from './page.css';
import { SpendSections } from './spend';
import { Table } from './table';
import { UseSection } from './use';

declare function acquireVsCodeApi(): { postMessage(message: FromView): void };

const editor = acquireVsCodeApi();

// Handed to the page as an object: the content policy allows no style element and no style sheet from anywhere.
document.adoptedStyleSheets = [plotCss, pageCss].map((text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
});

class Page {
  readonly #figures = h('dl', { class: 'figures' });
  readonly #status = h('p', { class: 'status', role: 'status' });
  readonly #problem = h('p', { class: 'problem', role: 'alert' });
  readonly #spend: SpendSections;
  readonly #storage: Table<IdleStorage>;
  readonly #noStorage: HTMLElement;
  readonly #use: UseSection;

  constructor(main: HTMLElement, private readonly words: Words) {
    this.#spend = new SpendSections(words, (days) => editor.postMessage({ type: 'range', days }));
    this.#storage = new Table(words.storage, [
      { title: words.storageName, text: (s) => s.name, sort: (s) => s.name },
      { title: words.storageKind, text: (s) => s.kind, sort: (s) => s.kind },
      { title: words.storageSize, text: (s) => s.size, number: true },
      { title: words.perMonth, text: (s) => `~${usd(s.perMonth)}`, sort: (s) => s.perMonth, number: true },
      { title: words.atZero, text: (s) => s.atZero, sort: (s) => s.atZero },
    ]);
    this.#noStorage = h('p', { class: 'empty' }, words.noStorage);
    this.#use = new UseSection(words);
    main.replaceChildren(
      h(
        'header',
        {},
        h('h1', {}, words.title),
        this.#status,
        h('button', { type: 'button', onclick: () => editor.postMessage({ type: 'refresh' }) }, words.refresh),
        h('button', { type: 'button', onclick: () => editor.postMessage({ type: 'export' }) }, words.exportCsv),
      ),
      this.#problem,
      this.#figures,
      ...this.#spend.elements,
      h('section', { 'aria-labelledby': 'storage' }, h('div', { class: 'head' }, h('h2', { id: 'storage' }, words.storage)), this.#storage.element, this.#noStorage),
      this.#use.element,
    );
  }

  receive(message: Exclude<ToView, { type: 'hello' }>): void {
    if (message.type === 'use') this.#use.show(message);
    else this.#show(message);
  }

  #show(costs: CostsMessage): void {
    setText(this.#status, costs.loading ? this.words.loading : '');
    setText(this.#problem, costs.problem ?? '');
    this.#figures.replaceChildren(
      ...costs.figures.map(({ label, value, note }) => h('div', {}, h('dt', {}, label), h('dd', { class: 'value' }, value), ...(note === undefined ? [] : [h('dd', { class: 'note' }, note)]))),
    );
    this.#spend.show(costs);
    this.#storage.show(costs.storage);
    this.#storage.element.hidden = costs.storage.length === 0;
    this.#noStorage.hidden = costs.storage.length > 0;
  }
}

/** Writes only what has changed: what is spoken aloud is not repeated. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

let page: Page | undefined;
// The editor is the only one that can send to this page.
window.addEventListener('message', (event: MessageEvent<ToView>) => {
  const main = document.getElementById('main');
  if (event.data.type === 'hello') page = main ? new Page(main, event.data.words) : undefined;
  else page?.receive(event.data);
});
editor.postMessage({ type: 'ready' });
