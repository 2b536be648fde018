import { execFile } from 'node:child_process';
import { CancelledError } from '../../base/errors';
import { systemCode } from '../../ssh/tcp';
import { GitError } from './errors';

export interface GitRunOptions {
  /** 30 s unless told. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEADLINE_MS = 30_000;

/** The git program of this computer in one folder. Never by way of a shell, and never asking on a terminal. */
export class Git {
  /** @param program `git`, or the path that the person told the editor. */
  constructor(
    readonly folder: string,
    private readonly program = 'git',
  ) {}

  /** The same program in another folder. */
  in(folder: string): Git {
    return new Git(folder, this.program);
  }

  /**
   * Runs git to its end; an exit code is an answer.
   * @throws GitError no-git-here, timeout; CancelledError
   */
  ask(words: readonly string[], { deadlineMs = DEADLINE_MS, signal }: GitRunOptions = {}): Promise<GitAnswer> {
    return new Promise((resolve, reject) => {
      const env = { ...process.env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };
      // Not started in the folder: Windows, and a PATH with `.` in it, would take a program called git that lies there.
      const options = { env, timeout: deadlineMs, maxBuffer: 1 << 28, windowsHide: true, ...(signal && { signal }) };
      const child = execFile(this.program, ['-C', this.folder, '-c', 'core.fsmonitor=false', ...words], options, (error, stdout, stderr) => {
        if (error === null) return resolve({ code: 0, stdout, stderr });
        if (signal?.aborted) return reject(new CancelledError());
        const code: unknown = error.code;
        if (typeof code === 'number') return resolve({ code, stdout, stderr });
        if (error.killed === true) return reject(new GitError('timeout', { folder: this.folder, detail: words[0] }, { cause: error }));
        reject(systemCode(error) === 'ENOENT' ? new GitError('no-git-here', { folder: this.folder }, { cause: error }) : new GitError('failed', { folder: this.folder, detail: error.message }, { cause: error }));
      });
      child.stdin?.end();
    });
  }

  /** What git prints, without the last line's end; `undefined` where it says no. */
  async tell(...words: readonly string[]): Promise<string | undefined> {
    const { code, stdout } = await this.ask(words);
    return code === 0 ? stdout.replace(/\r?\n$/, '') : undefined;
  }

  /**
   * Has git do something.
   * @throws GitError failed, with what git said
   */
  async do(words: readonly string[], options?: GitRunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.ask(words, options);
    if (code !== 0) throw new GitError('failed', { folder: this.folder, detail: stderr.trim() });
    return stdout;
  }
}
