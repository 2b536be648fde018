import { CancelledError } from '../base/errors';
import { SshError, type SshErrorParams } from './errors';
import { openTcp, systemCode, type TcpOptions } from './tcp';

/** Lines a server may send before its banner (RFC 4253, 4.2) end somewhere, or it is no SSH server. */
const maxPreamble = 16 * 1024;

/** Watches the first bytes of a server for its `SSH-2.0-…` line. Shared by the probe and by real connections. */
export class BannerSniffer {
  #text = '';
  #banner: string | undefined;
  #firstLine: string | undefined;
  #hopeless = false;

  /** The identification line without its line end, once it has come. */
  get banner(): string | undefined {
    return this.#banner;
  }

  /** What came instead of a banner, cut short: `HTTP/1.1 400 Bad Request` says a lot. */
  get instead(): string | undefined {
    const line = this.#firstLine ?? (this.#text === '' ? undefined : this.#text);
    return line?.slice(0, 200).replace(/[\x00-\x1f\x7f]/g, ' ').trim();
  }

  /** More than any server says before its banner has come; waiting on is pointless. */
  get hopeless(): boolean {
    return this.#hopeless;
  }

  feed(chunk: Buffer): void {
    if (this.#banner !== undefined || this.#hopeless) return;
    this.#text += chunk.toString('latin1');
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end).replace(/\r$/, '');
      this.#text = this.#text.slice(end + 1);
      if (/^SSH-(2\.0|1\.99)-/.test(line)) {
        this.#banner = line;
        this.#text = '';
        return;
      }
      this.#firstLine ??= line;
    }
    if (this.#text.length > maxPreamble) this.#hopeless = true;
  }

  /** The error for a connection that ended, or was given up, before a banner came. */
  failure(reason: 'silent' | 'closed', where: SshErrorParams, cause?: unknown): SshError {
    const instead = this.instead;
    return new SshError(
      'not-ssh',
      { ...where, stage: 'banner', reason: instead === undefined ? reason : 'other', detail: instead },
      { cause },
    );
  }
}

/**
 * Asks whether an SSH server answers: connects over TCP and reads the banner, RunPod's own test of readiness. A mapped port
 * accepts connections even where no sshd runs, so a connection alone proves nothing. Nothing secret is sent.
 *
 * @returns the server's identification line and the milliseconds until it was there.
 * @throws SshError refused, unreachable, timeout (TCP) or not-ssh; CancelledError.
 */
export async function probeBanner(host: string, port: number, options: TcpOptions): Promise<{ banner: string; ms: number }> {
  const started = performance.now();
  const where = { host, port };
  const socket = await openTcp(host, port, options);
  const left = Math.max(1, options.deadlineMs - (performance.now() - started));
  const { signal } = options;
  const sniffer = new BannerSniffer();
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(sniffer.failure('silent', { ...where, ms: options.deadlineMs }))), left);
      const onAbort = (): void => finish(() => reject(new CancelledError()));
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      socket.on('data', (chunk: Buffer) => {
        sniffer.feed(chunk);
        const banner = sniffer.banner;
        if (banner !== undefined) finish(() => resolve({ banner, ms: Math.round(performance.now() - started) }));
        else if (sniffer.hopeless) finish(() => reject(sniffer.failure('closed', where)));
      });
      socket.on('error', (error) => finish(() => reject(sniffer.failure('closed', { ...where, detail: systemCode(error) }, error))));
      socket.on('close', () => finish(() => reject(sniffer.failure('closed', where))));
      // Servers of other protocols wait for the client to speak; this makes them answer, and show what they are.
      socket.write('SSH-2.0-RunPodWorkspaces\r\n');
    });
  } finally {
    socket.destroy();
  }
}
