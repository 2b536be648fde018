import { h } from './dom';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** What is sorted by; a column with it can be sorted, the others cannot. */
  readonly sort?: (row: Row) => number | string;
  readonly number?: boolean;
}

/** A table whose head stays where it is while its rows change, so that the keyboard's place is kept. */
export class Table<Row> {
  readonly element: HTMLElement;
  readonly #caption = h('caption');
  readonly #body = h('tbody');
  readonly #heads: HTMLTableCellElement[];
  #rows: readonly Row[] = [];
  #by: { readonly column: number; readonly down: boolean } | undefined;

  constructor(caption: string, private readonly columns: readonly Column<Row>[]) {
    this.#caption.textContent = caption;
    this.#heads = columns.map((column, i) => {
      const { title, sort, number } = column;
      return h('th', { scope: 'col', ...(number ? { class: 'number' } : {}) }, sort ? h('button', { type: 'button', onclick: () => this.#sortBy(i) }, title) : title);
    });
    this.element = h('div', { class: 'scroll' }, h('table', {}, this.#caption, h('thead', {}, h('tr', {}, ...this.#heads)), this.#body));
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#paint();
  }

  #sortBy(column: number): void {
    const number = this.columns[column]?.number === true;
    this.#by = { column, down: this.#by?.column === column ? !this.#by.down : number };
    this.#paint();
  }

  #paint(): void {
    const by = this.#by;
    this.#heads.forEach((head, i) => {
      if (by?.column === i) head.setAttribute('aria-sort', by.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
      const button = head.querySelector('button');
      if (button) button.textContent = `${this.columns[i]?.title ?? ''}${by?.column === i ? (by.down ? ' ▾' : ' ▴') : ''}`;
    });
    const sort = by && this.columns[by.column]?.sort;
    const rows = sort ? [...this.#rows].sort((a, b) => compare(sort(a), sort(b)) * (by.down ? -1 : 1)) : this.#rows;
    this.#body.replaceChildren(
      ...rows.map((row) => h('tr', {}, ...this.columns.map((c, i) => h(i === 0 ? 'th' : 'td', { ...(i === 0 ? { scope: 'row' } : {}), ...(c.number ? { class: 'number' } : {}) }, c.text(row))))),
    );
  }
}

const compare = (a: number | string, b: number | string): number => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)));
