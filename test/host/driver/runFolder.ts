import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one run of an editor: its data, a home of its own, logs. Removed at the end. */
export class RunFolder {
  readonly path: string;

  constructor(name: string) {
    // Short, because Unix sockets are made below it and their names are limited to about a hundred characters.
    this.path = mkdtempSync(join(tmpdir(), `rpw-${name}-`));
    process.once('exit', this.#remove);
  }

  /** A folder in it, made when absent. */
  dir(...names: string[]): string {
    const path = join(this.path, ...names);
    mkdirSync(path, { recursive: true });
    return path;
  }

  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  writeJson(path: string, value: unknown): void {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Every log of the run as one text, newest words last, for a failure's report. */
  logs(): string {
    if (!existsSync(this.path)) return '';
    return readdirSync(this.path, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.log') && !name.includes('node_modules'))
      .sort()
      .map((name) => ({ name, text: readFileSync(join(this.path, name), 'utf8').trim() }))
      .filter(({ text }) => text !== '')
      .map(({ name, text }) => `===== ${name}\n${text}\n`)
      .join('\n');
  }

  remove(): void {
    process.off('exit', this.#remove);
    this.#remove();
  }

  readonly #remove = (): void => rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/**
 * The environment for a program under test: nothing of the person's own account, keys, agent or proxies reaches it.
 * @param home a folder that stands for the home folder
 */
export function cleanEnvironment(home: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(RUNPOD_|SSH_|XDG_|VSCODE_|npm_|NODE_OPTIONS$)|_proxy$/i.test(name));
  return { ...Object.fromEntries(own), HOME: home, USERPROFILE: home, ...more };
}
