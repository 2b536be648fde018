import type { LogQuery, ReadPodLogs } from '../../src/pods/podApi';
import type { LogLine } from '../../src/runpod/types';

/** A pod's container log that tests write, answering queries as the API does: what is there, then what comes, without an end. */
export class ScriptedLog {
  readonly queries: LogQuery[] = [];
  #lines: LogLine[] = [];
  #waiting = new Set<() => void>();
  /** Ends each stream after so many lines, as an error or quietly. */
  cutAfter: { lines: number; error?: Error } | undefined;
  /** Streams that have not been left yet. */
  open = 0;

  add(lines: readonly string[], options: { at?: Date; source?: 'container' | 'system' } = {}): void {
    for (const line of lines) {
      const at = options.at ?? new Date();
      this.#lines.push({ id: `${at.toISOString()}/${String(this.#lines.length).padStart(12, '0')}`, at, source: options.source ?? 'container', line });
    }
    for (const wake of this.#waiting) wake();
  }

  readonly read: ReadPodLogs = (_id, query) => {
    this.queries.push(query);
    return this.#stream(query);
  };

  async *#stream(query: LogQuery): AsyncGenerator<LogLine> {
    this.open++;
    try {
      let next = query.lastEventId === undefined ? 0 : this.#lines.findIndex((line) => line.id === query.lastEventId) + 1;
      for (let given = 0; !query.signal.aborted; ) {
        const line = this.#lines[next++];
        if (line === undefined) {
          next--;
          await this.#more(query.signal);
          continue;
        }
        if (query.source !== undefined && line.source !== query.source) continue;
        if (query.lastEventId === undefined && query.since !== undefined && line.at < query.since) continue;
        if (this.cutAfter !== undefined && given++ >= this.cutAfter.lines) {
          if (this.cutAfter.error) throw this.cutAfter.error;
          return;
        }
        yield line;
      }
    } finally {
      this.open--;
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) wake();
    });
  }
}

/** What RunPod's start script prints about one host key. */
export function startScriptLines(fingerprint: string, type = 'ED25519'): string[] {
  const keygen = `256 ${fingerprint} root@llama-ft (${type})`;
  return ['Pod Started', 'Setting up SSH...', `${type} key fingerprint:`, keygen, 'SSH host keys:', `Key: /etc/ssh/ssh_host_${type.toLowerCase()}_key.pub`, keygen];
}
