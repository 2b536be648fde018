/** Characters before it is decided whether a sequence asks for the clipboard; nothing that is meant well is so long. */
const longest = 256;

/**
 * Takes out of a pod's output what asks a terminal for this computer's clipboard (OSC 52 with `?`). The editor's terminal would
 * answer, and so would hand whatever was copied last, a password or a key, to any program on the pod. Writing to the
 * clipboard stays.
 *
 * Reads as the terminal's own parser does: control characters inside a sequence count for nothing, and a sequence may come
 * in pieces.
 */
export class ClipboardGuard {
  #state: 'text' | 'escape' | 'osc' | 'pass' | 'drop' = 'text';
  /** What has come of a sequence that is not decided yet. */
  #held = '';
  /** Of it, what the terminal goes by. */
  #seen = '';

  /** @returns what may be shown of it now */
  filter(text: string): string {
    let out = '';
    for (let i = 0; i < text.length; i++) {
      if (this.#state === 'text') {
        // Nearly all output is this, and goes by whole.
        begins.lastIndex = i;
        const next = begins.exec(text)?.index ?? text.length;
        out += text.slice(i, next);
        i = next;
      }
      if (i < text.length) out += this.#next(text.charAt(i));
    }
    return out;
  }

  #next(char: string): string {
    if (char === '\u001b') {
      const before = this.#release();
      this.#state = 'escape';
      this.#held = char;
      return before;
    }
    if (char === '\u009d') {
      const before = this.#release();
      this.#begin(char);
      return before;
    }
    switch (this.#state) {
      case 'text':
        return char;
      case 'escape':
        return this.#afterEscape(char);
      case 'osc':
        return this.#inSequence(char);
      case 'pass':
        if (ends(char)) this.#state = 'text';
        return char;
      case 'drop':
        if (ends(char)) this.#state = 'text';
        return '';
    }
  }

  #afterEscape(char: string): string {
    this.#held += char;
    if (char === ']') {
      this.#begin(this.#held);
      return '';
    }
    // Control characters are obeyed and change nothing of what comes.
    if (char < ' ' && !ends(char) && this.#held.length < longest) return '';
    return this.#release();
  }

  #begin(held: string): void {
    this.#state = 'osc';
    this.#held = held;
    this.#seen = '';
  }

  #inSequence(char: string): string {
    this.#held += char;
    if (ends(char)) return this.#release();
    if (char >= ' ') this.#seen += char;
    if (/^0*52;[^;]*;\?/.test(this.#seen)) {
      this.#held = '';
      this.#state = 'drop';
      return '';
    }
    const mayAsk = /^0*(?:$|5$|52(?:$|;[^;]*;?$))/.test(this.#seen);
    if (mayAsk && this.#held.length < longest) return '';
    if (mayAsk) {
      this.#held = '';
      this.#state = 'drop';
      return '';
    }
    const held = this.#held;
    this.#held = '';
    this.#state = 'pass';
    return held;
  }

  /** The sequence is over or something else: what was held of it is harmless. */
  #release(): string {
    const held = this.#held;
    this.#held = '';
    this.#seen = '';
    this.#state = 'text';
    return held;
  }
}

/** What begins a sequence that matters here. */
const begins = /[\u001b\u009d]/g;
/** What ends a sequence for the terminal (an escape does too). */
const ends = (char: string): boolean => char === '\u0007' || char === '\u009c' || char === '\u0018' || char === '\u001a';
