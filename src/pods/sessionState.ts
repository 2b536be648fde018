/**
 * - `idle`: nobody needs it. `connecting`: somebody waits for it. `connected`.
 * - `retrying`: it was lost, or could not be had yet, and is tried again by itself.
 * - `unavailable`: it cannot be had until something changes; `reason` says what.
 */
export type SessionState = 'idle' | 'connecting' | 'connected' | 'retrying' | 'unavailable';

export interface LinkOptions {
  /** For what happens by itself: a key that would ask a person for its passphrase is left locked. */
  readonly quiet?: boolean;
}
