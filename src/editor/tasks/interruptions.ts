import { l10n } from 'vscode';
import type { Disposable } from '../../base/disposable';
import type { RunFollower } from '../../runs/detached/follow';
import { note, warning } from '../terminal/lines';

/** A connection that is back sooner is not worth a word amid a program's output. */
const PATIENCE_MS = 1_500;

/** Says in a run's terminal that the connection is lost, when it is for a while, and that it is back. */
export function tellInterruptions(follower: RunFollower, podName: () => string, say: (line: string) => void): Disposable {
  let later: NodeJS.Timeout | undefined;
  let told = false;
  const watch = follower.onState((state) => {
    if (state.kind === 'following') {
      clearTimeout(later);
      later = undefined;
      if (told) say(note(l10n.t('Connected again.')));
      told = false;
    } else if (state.kind === 'waiting' && !told) {
      later ??= setTimeout(() => {
        told = true;
        say(warning(l10n.t('The connection to {0} is lost. The run goes on there; this continues where it left off when the connection is back.', podName())));
      }, PATIENCE_MS);
    }
  });
  return {
    dispose: () => {
      watch.dispose();
      clearTimeout(later);
    },
  };
}
