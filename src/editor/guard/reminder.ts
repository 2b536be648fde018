import { ProgressLocation, window, type Disposable, type Progress } from 'vscode';

/**
 * A notification that goes away by itself when what it asks for is done. The editor takes back no other kind than a
 * progress, so it is one that stands still; what can be done is a link in its words.
 */
export class Reminder implements Disposable {
  #end: () => void = () => undefined;
  #progress: Progress<{ message: string; increment: number }> | undefined;

  constructor(private words: string) {
    const ended = new Promise<void>((resolve) => (this.#end = resolve));
    void window.withProgress({ location: ProgressLocation.Notification }, (progress) => {
      this.#progress = progress;
      this.#report();
      return ended;
    });
  }

  /** Changes its words. */
  say(words: string): void {
    if (words === this.words) return;
    this.words = words;
    this.#report();
  }

  dispose(): void {
    this.#end();
  }

  #report(): void {
    this.#progress?.report({ message: this.words, increment: 0 });
  }
}
