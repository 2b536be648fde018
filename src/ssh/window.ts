import type { ClientChannel } from 'ssh2';

/** The parts of ssh2's channel that its types do not tell of (ssh2 1.17). */
interface Inner {
  readonly incoming: { window: number };
  readonly outgoing: { readonly id: number; readonly state: string };
  readonly _client: { readonly _protocol: { channelWindowAdjust(id: number, bytes: number): void } };
}

/**
 * Lets the server send up to `bytes` ahead on this channel. ssh2 grants 2 MiB and renews half of that at a time, which at a
 * round trip of 50 ms is 20 to 40 MB/s however fast the link is. What a reader leaves unread is not granted anew.
 */
export function widenWindow(channel: ClientChannel, bytes: number): void {
  const inner = channel as unknown as Partial<Inner>;
  const { incoming, outgoing } = inner;
  const protocol = inner._client?._protocol;
  // Another ssh2 may look different inside; then its own window has to do.
  if (incoming === undefined || outgoing === undefined || typeof protocol?.channelWindowAdjust !== 'function') return;
  const grant = (): void => {
    const more = bytes - incoming.window;
    if (more < bytes / 8 || outgoing.state !== 'open') return;
    incoming.window += more;
    protocol.channelWindowAdjust(outgoing.id, more);
  };
  grant();
  channel.on('data', grant);
}
