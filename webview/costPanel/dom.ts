type Child = Node | string;

/** An element with its attributes (`on…` are listeners) and children; text stays text, whatever is in it. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string | boolean | ((event: Event) => void)>> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Puts values in the places `{0}`, `{1}`… of a text. */
export const fill = (text: string, ...values: (string | number)[]): string => text.replace(/\{(\d)\}/g, (place, i: string) => String(values[Number(i)] ?? place));

const locale = document.documentElement.lang || undefined;
const day = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', timeZone: 'UTC' });
const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** A UTC day. */
export const dayText = (at: number): string => day.format(at);
export const timeText = (at: number): string => time.format(at);
/** `$12.40`; under a cent `< $0.01`. */
export const usd = (amount: number): string => (amount > 0 && amount < 0.01 ? '< $0.01' : `$${amount.toFixed(2)}`);
/** An estimate, told as one; nothing is no estimate. */
export const about = (amount: number): string => (amount === 0 ? '–' : `~${usd(amount)}`);
