/** One fingerprint that a pod's start script printed. */
export interface PrintedFingerprint {
  /** `RSA`, `DSA`, `ECDSA` or `ED25519`, as ssh-keygen writes it. */
  readonly type: string;
  readonly bits: number;
  readonly fingerprint: string;
}

/** When a container began, by the API: what was printed before is another container's. */
export interface Begin {
  readonly at: Date;
  /** What looks like a listing later than this after `at` is none; unlimited unless told. */
  readonly listsWithinMs?: number;
}

/** Lines of other programs that may fall between a marker and its fingerprint; they share the container's log. */
const patience = 5;
/** The start script speaks among the first lines of a container; what comes after so many is somebody else's. */
const earlyLines = 2000;

/** How the platform narrates that a container begins; a container cannot write these lines. */
const beginsContainer = /\b(?:create|start|restart)(?:d|ed|ing)?\s+(?:the\s+)?container\b|\bcontainer\s+(?:re)?(?:created|started)\b/i;

/**
 * Picks the host-key fingerprints that RunPod's official start script printed out of a pod's log, line by line.
 *
 * The script prints `<TYPE> key fingerprint:` and the `ssh-keygen -lf` line for each key it makes, then `SSH host keys:` and
 * for every key `Key: /etc/ssh/….pub` and its `ssh-keygen -lf` line, and at the end that it has finished.
 *
 * What a container prints later may be anything, also words that strangers sent to a program in it, made to look like this
 * listing. So of one container the first listing counts, near its beginning, and nothing after it; that a new container, with
 * new keys, has begun is believed only when the platform's own lines say so, or the API itself (`begins`).
 */
export class PrintedFingerprints {
  #found = new Map<string, PrintedFingerprint>();
  #lines = 0;
  #listed = false;
  #closed = false;
  #awaiting: { readonly type: string | undefined; left: number } | undefined;
  #idle = 0;
  /** What the container before printed; stands where the API alone says that another began, until that one has printed its own. */
  #before: PrintedFingerprint[] = [];
  /** When the container began whose lines are read, and when it listed its keys; the platform's clock, ms since 1970. */
  #begunAt = -Infinity;
  #listedAt: number | undefined;
  /** So long after that it may do so. */
  #withinMs = Infinity;
  readonly #begins: Begin[];

  constructor(begins: readonly Begin[] = []) {
    this.#begins = [...begins].sort((a, b) => a.at.getTime() - b.at.getTime());
  }

  get found(): PrintedFingerprint[] {
    return this.#found.size > 0 ? [...this.#found.values()] : this.#before;
  }

  /** Takes the next line, with its time where it has one. @returns whether `found` may have changed */
  feed(source: 'container' | 'system', raw: string, at?: Date): boolean {
    const line = clean(raw);
    const time = at?.getTime();
    if (source === 'system') {
      // The platform's lines and the container's are two logs: the word that this very container begins may come after its first.
      if (!beginsContainer.test(line) || (time !== undefined && this.#listedAt !== undefined && this.#listedAt > time)) return false;
      const had = this.found.length > 0;
      this.#begin(time, []);
      return had;
    }
    if (time !== undefined) {
      if (time < this.#begunAt) return false;
      for (let next = this.#begins[0]; next !== undefined && next.at.getTime() <= time; next = this.#begins[0]) {
        this.#begins.shift();
        if (next.at.getTime() <= this.#begunAt) continue;
        this.#begin(next.at.getTime(), this.found);
        this.#withinMs = next.listsWithinMs ?? Infinity;
      }
      if (time > this.#begunAt + this.#withinMs) this.#closed = true;
    }
    const before = this.#found.size;
    this.#lines++;
    if (!this.#closed) this.#take(line);
    if (this.#found.size !== before) this.#listedAt ??= time;
    return this.#found.size !== before;
  }

  #begin(time: number | undefined, before: PrintedFingerprint[]): void {
    this.#begunAt = time ?? this.#begunAt;
    this.#before = before;
    this.#listedAt = undefined;
    this.#withinMs = Infinity;
    this.#found = new Map();
    this.#lines = 0;
    this.#listed = false;
    this.#closed = false;
    this.#awaiting = undefined;
    this.#idle = 0;
  }

  #take(line: string): void {
    const made = /^(RSA|DSA|ECDSA|ED25519) key fingerprint:$/.exec(line)?.[1];
    if (line === 'SSH host keys:') {
      this.#closed = this.#listed;
      this.#listed = true;
      this.#idle = 0;
      this.#awaiting = undefined;
    } else if (line.startsWith('Start script(s) finished')) this.#closed = true;
    else if (made !== undefined && !this.#listed) this.#awaiting = { type: made, left: patience };
    else if (this.#listed && /^Key: \/etc\/ssh\/[\w.-]+\.pub$/.test(line)) this.#awaiting = { type: undefined, left: patience };
    else if (this.#awaiting !== undefined) this.#await(this.#awaiting, line);
    else if (this.#listed && line !== '' && ++this.#idle >= patience) this.#closed = true;
    else if (this.#lines > earlyLines) this.#closed = true;
  }

  #await(awaiting: { readonly type: string | undefined; left: number }, line: string): void {
    const printed = keygenLine(line);
    if (printed !== undefined && (awaiting.type === undefined || awaiting.type === printed.type)) {
      // One key of a type in one container; the first to be told is the start script's.
      if (!this.#found.has(printed.type)) this.#found.set(printed.type, printed);
      this.#awaiting = undefined;
      this.#idle = 0;
    } else if (line !== '' && --awaiting.left <= 0) this.#awaiting = undefined;
  }
}

/** `256 SHA256:… root@host (ED25519)`: 32 bytes in unpadded base64 are 43 characters, never more. */
function keygenLine(line: string): PrintedFingerprint | undefined {
  const match = /^(\d{3,5}) (SHA256:[A-Za-z0-9+/]{43}) .*\((RSA|DSA|ECDSA|ED25519)\)$/.exec(line);
  const [, bits, fingerprint, type] = match ?? [];
  return bits === undefined || fingerprint === undefined || type === undefined ? undefined : { type, bits: Number(bits), fingerprint };
}

/** Without colours and line ends; nothing else is forgiven. */
const clean = (line: string): string => line.replace(/\x1b\[[0-9;]*m/g, '').trim();
