import { window, type Disposable } from 'vscode';
import { cappedLog, type Logger } from '../base/log';

/** Our own diagnosis, in an output channel. */
export interface Log extends Logger, Disposable {
  /** Brings it to the front. */
  show(): void;
}

export function openLog(name: string): Log {
  const channel = window.createOutputChannel(name, { log: true });
  return { ...cappedLog(channel), show: () => channel.show(), dispose: () => channel.dispose() };
}
