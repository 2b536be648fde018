import type { TerminalExitReason } from 'vscode';
import type { Logger } from '../../base/log';
import type { RunRef } from '../../runs/detached/layout';
import type { RunRecord } from '../../runs/detached/list';
import type { RunMeta } from '../../runs/detached/meta';
import type { RunSession } from '../../runs/detached/session';
import { startRun } from '../../runs/detached/start';
import { onPod, type PodCommand } from '../../runs/podCommand';
import type { TtySize } from '../../runs/tty';

/** A command that is ready to be started, or a run to be looked at again. */
export interface PreparedRun {
  readonly session: RunSession;
  readonly command: PodCommand;
  /** What a person calls it; the command itself unless told. */
  readonly title?: string;
  readonly meta?: Pick<RunMeta, 'source' | 'group'>;
  /** Regular expression of the line that says that what runs is up. */
  readonly readyWhen?: string | undefined;
  /** One that is there already: its output is shown from the beginning, or from as far back as anybody would scroll. */
  readonly attach?: RunRecord & { readonly outputBytes: number };
  /** Asked when the command has ended: the pod's name, and its rate in USD per hour where it is known. */
  readonly pod: () => { readonly name: string; readonly costPerHour: number | undefined };
  /** Told before the command's output. */
  readonly remarks?: readonly string[];
}

/** What a run's terminal works with. */
export interface RunTerminalParts {
  readonly log: Logger;
  /** Told what is found out about a run. */
  readonly runBook: { note(run: RunRecord): void };
  /** Remembers which runs have terminals. */
  readonly followed: {
    /** @param follower `label`: the terminal's name, or part of it */
    follow(follower: { readonly ref: RunRef; readonly label: string }): void;
    leave(ref: RunRef): void;
    end(ended: { readonly run: RunRecord; readonly lines: readonly string[]; readonly exitCode: number }): void;
    /** Who has closed the terminal of that name just now. */
    closedBy(label: string): Promise<TerminalExitReason>;
  };
  /** Told what a run prints, and that it goes on without its terminal. */
  readonly observer?: RunObserver;
}

export interface RunObserver {
  /** @param label the terminal's name, or part of it @param listen hands over what the run prints from now on */
  began(run: RunRecord, label: string, listen: (listener: (chunk: string) => void) => void): void;
  /** The person has closed the terminal of a run that goes on. */
  leftRunning(run: RunRecord): void;
}

/** Starts it; the pod's mount path is known by then. */
export async function startPrepared({ session, command, title, meta, pod }: PreparedRun, size: TtySize, signal: AbortSignal): Promise<RunRecord> {
  const { costPerHour } = pod();
  const cwd = onPod(command.cwd, session.pod?.mount?.path);
  const about: RunMeta = {
    title: title ?? shortened(command.command),
    command: command.command,
    ...(cwd === undefined ? {} : { cwd }),
    ...(command.env === undefined ? {} : { env: command.env }),
    ...(costPerHour === undefined ? {} : { costPerHour }),
    ...meta,
  };
  const started = await startRun(session, { ...about, size }, signal);
  return { ...started, meta: about, state: 'running', startedAt: Date.now() };
}

/** What a command is called where it has no other name. */
export const shortened = (command: string): string => (command.length > 60 ? `${command.slice(0, 60)}…` : command);
