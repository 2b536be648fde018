import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { withDeadline } from '../../../src/base/time';

export interface ChildOptions {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  /** The file that receives everything it writes. */
  readonly log: string;
  /** Sees each line of both outputs. */
  readonly onLine?: (line: string) => void;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** A program that ends with us, however we end. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #killAtExit = (): void => this.#signal('SIGKILL');
  #ended = false;

  constructor(readonly command: string, args: readonly string[], readonly options: ChildOptions) {
    // The kernel ends it even when we are killed without a chance to clean up.
    const tied = setpriv === undefined ? [command, ...args] : [setpriv, '--pdeathsig', 'TERM', '--', command, ...args];
    const child = spawn(tied[0] ?? command, tied.slice(1), {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C in the terminal reaches us alone, and we end the others in order.
      detached: process.platform !== 'win32',
    });
    this.#process = child;
    const log = createWriteStream(options.log, { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) {
      stream.pipe(log, { end: false });
      // Reads on after the first wanted line, or a full pipe would stop the program.
      createInterface({ input: stream }).on('line', (line) => options.onLine?.(line));
    }
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => { this.#ended = true; resolve(); });
      child.once('error', (error) => { log.write(`${error.message}\n`); this.#ended = true; resolve(); });
    });
    void this.#exited.then(() => process.off('exit', this.#killAtExit));
    process.on('exit', this.#killAtExit);
  }

  get ended(): boolean { return this.#ended; }
  get exited(): Promise<void> { return this.#exited; }

  /** Asks it to end, insists after ten seconds, and resolves when it is gone. */
  async stop(): Promise<void> {
    this.#signal('SIGTERM');
    const insist = setTimeout(() => this.#signal('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(insist);
    // Whatever of its group outlived it.
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#process.kill(signal);
      else process.kill(-pid, signal);
    } catch { /* gone */ }
  }
}

/**
 * Starts a program and waits until one of its lines says that it is ready.
 * @param ready what the line means, or undefined for any other line
 */
export async function startUntil<T>(command: string, args: readonly string[], options: ChildOptions, ready: (line: string) => T | undefined, ms = 120_000): Promise<{ child: Child; value: T }> {
  let found: (value: T) => void;
  const value = new Promise<T>((resolve) => { found = resolve; });
  const child = new Child(command, args, {
    ...options,
    onLine: (line) => {
      options.onLine?.(line);
      const result = ready(line);
      if (result !== undefined) found(result);
    },
  });
  try {
    const early = child.exited.then(() => { throw new Error(`${args.find((arg) => /\.[cm]?[jt]s$/.test(arg)) ?? command} ended before it was ready. It wrote:\n${tailOf(options.log)}`); });
    return { child, value: await withDeadline(Promise.race([value, early]), ms, `${args[0] ?? command} to be ready (log: ${options.log})`) };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** The last words of a log. */
function tailOf(log: string): string {
  return existsSync(log) ? readFileSync(log, 'utf8').slice(-3000) : '';
}
