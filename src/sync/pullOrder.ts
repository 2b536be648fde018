import type { RemoteEntry } from './remoteList';

/** One file to bring, and what it may replace. */
export interface PulledFile {
  readonly path: string;
  readonly remote: RemoteEntry;
  /** What lies there now, as it was when it was decided that it may be replaced; absent where nothing does. */
  readonly local?: { readonly size: number; readonly mtimeMs: number } | undefined;
  /** Another name to put it under, beside a local file that stays. */
  readonly as?: string | undefined;
}

export interface PullOrder {
  /** Absolute path of the folder on the pod. */
  readonly target: string;
  readonly files: readonly PulledFile[];
  readonly links: readonly string[];
  readonly folders: readonly string[];
  readonly modes: readonly { readonly path: string; readonly mode: number }[];
}
