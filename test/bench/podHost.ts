import './asShipped';
import { Emitter } from '../../src/base/emitter';
import type { FilesHost, RawSftp, RunOptions, RunResult } from '../../src/files/host';
import type { ConnectOptions } from '../../src/ssh/connection';
import { SshLink } from '../../src/ssh/pool';

/** The connection that a pod's files have in the editor, without RunPod's API behind it. */
export class PodHost implements FilesHost {
  readonly #down = new Emitter<void>();
  readonly onDown = this.#down.event;
  #link: Promise<SshLink> | undefined;

  constructor(readonly options: ConnectOptions) {}

  async sftp(signal?: AbortSignal): Promise<RawSftp> {
    return (await this.#linked()).rawSftp({ signal });
  }

  async run(command: string, options: RunOptions): Promise<RunResult> {
    return (await this.#linked()).run(command, options);
  }

  async end(): Promise<void> {
    (await this.#link?.catch(() => undefined))?.end();
  }

  #linked(): Promise<SshLink> {
    return (this.#link ??= SshLink.open(this.options).then((link) => {
      link.onDown(() => {
        this.#link = undefined;
        this.#down.fire();
      });
      return link;
    }));
  }
}
