import { ProgressLocation, window, type Disposable, type Progress } from 'vscode';
import { unlinked } from '../../base/log';

/** What is said, and the one thing to do as a link at its end. */
export interface Reminding {
  readonly words: string;
  readonly title: string;
  /** `command:…` */
  readonly link: string;
}

/**
 * A notification that goes away by itself when what it asks for is done. The editor takes back no other kind than a
 * progress, so it is one that stands still; what can be done is a link in its words.
 */
export class Reminder implements Disposable {
  #end: () => void = () => undefined;
  #progress: Progress<{ message: string; increment: number }> | undefined;

  #message: string;

  constructor(about: Reminding) {
    this.#message = messageOf(about);
    const ended = new Promise<void>((resolve) => (this.#end = resolve));
    void window.withProgress({ location: ProgressLocation.Notification }, (progress) => {
      this.#progress = progress;
      this.#report();
      return ended;
    });
  }

  /** Changes its words. */
  say(about: Reminding): void {
    const message = messageOf(about);
    if (message === this.#message) return;
    this.#message = message;
    this.#report();
  }

  dispose(): void {
    this.#end();
  }

  #report(): void {
    this.#progress?.report({ message: this.#message, increment: 0 });
  }
}

/** The link is ours; nothing in the words becomes one. */
const messageOf = ({ words, title, link }: Reminding): string => `${unlinked(words)} [${unlinked(title)}](${link})`;
