import { workspace, type Disposable } from 'vscode';
import type { PodSessions } from '../../pods/session';
import { run } from '../commands/command';
import { explain } from '../errorWords';
import { SCHEME, SCHEME_READONLY } from '../ids';
import { notice } from '../prompts/notice';

/**
 * Says once why an open folder's pod cannot be reached, with the one thing that helps (a stopped pod: Start Pod), and is
 * quiet until it has been reached again: the Explorer asks many times, a person wants to hear it once.
 */
export class OutageNotice implements Disposable {
  readonly #told = new Set<string>();
  readonly #subscription: Disposable;

  constructor(private readonly sessions: PodSessions) {
    this.#subscription = sessions.onDidChange((session) => {
      if (session.state === 'connected') this.#told.delete(session.podId);
    });
  }

  /** A file operation on this pod has just failed for want of a connection. */
  tell(podId: string): void {
    const reason = this.sessions.peek(podId)?.reason;
    const open = (workspace.workspaceFolders ?? []).some(({ uri }) => (uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY) && uri.authority === podId);
    // A pod that is starting, or a drop that is being mended, needs nobody's hand.
    if (!reason || !open || reason.code === 'starting' || this.#told.has(podId)) return;
    this.#told.add(podId);
    const { message, action } = explain(reason);
    void notice.warn(message, ...(action ? [action.title] : [])).then((answer) => (action && answer === action.title ? run(action.command, ...(action.args ?? [])) : undefined));
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}
