import { messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { quote } from '../../base/shell';
import { backoff, sleep } from '../../base/time';
import { assign, script } from '../shell';
import { stream, type StreamHost } from '../streamed';

/** `absent`: this pod cannot ring for these folders. */
type End = 'absent' | 'ended';

/** A channel that lives as long as somebody looks must not end by a deadline of its own soon. */
const dayMs = 86_400_000;
const maxFailures = 5;

/**
 * File systems whose changes the kernel tells in full. On a network volume another pod's changes would not be among them, so
 * there the folders are asked instead.
 */
const local = 'ext2/ext3|ext4|xfs|btrfs|zfs|tmpfs|overlayfs|overlay|aufs|f2fs';

/**
 * Waits on the pod for changes, with inotifywait where it is installed, and rings. It says no more than that something happened: what
 * it was, is asked. One ring a second at most, however much is written.
 */
export class Bell {
  readonly #abort = new AbortController();
  /** The pod rings for these folders now. */
  ready = false;

  constructor(
    private readonly host: StreamHost,
    readonly folders: readonly string[],
    private readonly onRing: () => void,
    private readonly log: Logger,
    private readonly retryMs = 2_000,
  ) {
    if (folders.length > 0) void this.#live();
  }

  dispose(): void {
    this.#abort.abort();
    this.ready = false;
  }

  async #live(): Promise<void> {
    const { signal } = this.#abort;
    for (let failures = 0; failures < maxFailures && !signal.aborted; ) {
      const began = performance.now();
      try {
        if ((await this.#listen(signal)) === 'absent') return;
      } catch (error) {
        if (signal.aborted) return;
        this.log.debug(`Watching by inotify ended: ${messageOf(error)}`);
      }
      this.ready = false;
      // One that lasted was fine; a folder may have gone, and the set will be another soon.
      failures = performance.now() - began > 60_000 ? 0 : failures + 1;
      await sleep(backoff(failures, this.retryMs, 60_000), signal).catch(() => undefined);
    }
  }

  async #listen(signal: AbortSignal): Promise<End> {
    let end: End = 'ended';
    let rest = '';
    await stream(this.host, bellScript(this.folders), {
      signal,
      deadlineMs: dayMs,
      onOutput: (chunk) => {
        const lines = (rest + chunk.toString('latin1')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line === 'absent') end = 'absent';
          // Between a ring and new watches something may have happened unseen; so each of both counts.
          if (line === 'ring' || line.startsWith('Watches established')) {
            this.ready = true;
            this.onRing();
          }
        }
      },
    });
    return end;
  }
}

function bellScript(folders: readonly string[]): string {
  return script(
    [
      'command -v inotifywait >/dev/null 2>&1 || { echo absent; exit 0; }',
      'set --',
      ...folders.map((folder) => `${assign('d', folder)}; set -- "$@" "$d"`),
      'for d; do',
      `case $(stat -f -c %T "$d" 2>/dev/null) in ${local}) ;; *) echo absent; exit 0 ;; esac`,
      'done',
      `while inotifywait -e ${quote('modify,attrib,create,delete,move,delete_self,move_self')} -- "$@" 2>&1 >/dev/null; do echo ring; sleep 1; done`,
    ].join('\n'),
  );
}
