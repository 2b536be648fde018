import { ProgressLocation, window, type CancellationToken, type Progress, type ProgressOptions } from 'vscode';
import { iconless, unlinked } from '../base/log';

type Report = Parameters<Progress<{ message?: string; increment?: number }>['report']>[0];

/** `window.withProgress`, in whose words names and paths show as they are: none becomes a link or an icon. */
export function withProgress<T>(options: ProgressOptions, work: (progress: Progress<Report>, token: CancellationToken) => Thenable<T>): Thenable<T> {
  return window.withProgress({ ...options, ...(options.title === undefined ? {} : { title: plain(options.title) }) }, (progress, token) =>
    work({ report: (step) => progress.report({ ...step, ...(step.message === undefined ? {} : { message: plain(step.message) }) }) }, token),
  );
}

const plain = (words: string): string => iconless(unlinked(words));

/** What is over sooner needs no notification that only flashes by. */
const PATIENCE_MS = 600;

export interface Step {
  readonly message: string;
  /** Per cent done by now, 0 to 100. */
  readonly percent?: number;
}

/**
 * Does work that usually takes a moment; where it takes longer, a notification says what it waits for and can cancel it.
 * @param title `undefined` for what nobody waits for: nothing is shown
 */
export async function withPatience<T>(title: string | undefined, work: (report: (step: Step) => void, signal: AbortSignal) => Promise<T>, outer?: AbortSignal): Promise<T> {
  const stop = new AbortController();
  let shown: Progress<{ message?: string; increment?: number }> | undefined;
  let last: Step | undefined;
  let reported = 0;
  const show = (): void => {
    if (shown === undefined || last === undefined) return;
    const { message, percent = reported } = last;
    shown.report({ message, increment: percent - reported });
    reported = percent;
  };
  const done = work(
    (step) => {
      last = step;
      show();
    },
    outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal]),
  );
  const timer = setTimeout(() => {
    if (title === undefined) return;
    void withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, (progress, token) => {
      shown = progress;
      token.onCancellationRequested(() => stop.abort());
      show();
      return done.then(
        () => undefined,
        () => undefined,
      );
    });
  }, PATIENCE_MS);
  try {
    return await done;
  } finally {
    clearTimeout(timer);
  }
}
