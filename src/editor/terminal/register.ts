import { TerminalProfile, ThemeIcon, window, type Disposable, type ExtensionTerminalOptions, type Terminal } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import { showError } from '../commands/command';
import type { Parts } from '../parts';
import { PodTerminal } from './podTerminal';

export type TerminalParts = Pick<Parts, 'sessions' | 'store' | 'activePod' | 'guards' | 'log'>;

export const TERMINAL_PROFILE = 'runpod.terminal';

/** Terminals on pods. */
export class PodTerminals implements Disposable {
  readonly #profile: Disposable;

  constructor(private readonly parts: TerminalParts) {
    this.#profile = window.registerTerminalProfileProvider(TERMINAL_PROFILE, {
      provideTerminalProfile: async () => {
        try {
          const podId = await parts.activePod.pick();
          return podId === undefined ? undefined : new TerminalProfile(this.#options(podId));
        } catch (error) {
          // The editor would say that the profile provider failed, and not why.
          if (!isCancelled(error)) parts.log.error(`Terminal profile: ${messageOf(error)}`);
          void showError(error);
          return undefined;
        }
      },
    });
  }

  /**
   * Opens a terminal on a pod and shows it. What is wrong with the connection is said in it.
   * @param cwd where its shell starts: absolute, or below the mount path; that path itself unless told
   */
  open(podId: string, cwd?: string): Terminal {
    const terminal = window.createTerminal(this.#options(podId, cwd));
    terminal.show();
    return terminal;
  }

  dispose(): void {
    this.#profile.dispose();
  }

  #options(podId: string, cwd?: string): ExtensionTerminalOptions {
    const { store, sessions, guards, log } = this.parts;
    const name = (): string => store.find(podId)?.name ?? podId;
    return {
      name: name(),
      pty: new PodTerminal({ id: podId, name, used: () => guards.noteUse(podId) }, () => sessions.get(podId), log, cwd),
      iconPath: new ThemeIcon('server-environment'),
      isTransient: true,
    };
  }
}
