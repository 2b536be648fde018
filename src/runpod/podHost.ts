import { BlockList, isIP } from 'node:net';
import { isLoopback } from './keyOrigin';

const notElsewhere = new BlockList();
notElsewhere.addSubnet('0.0.0.0', 8);
notElsewhere.addSubnet('127.0.0.0', 8);
notElsewhere.addSubnet('169.254.0.0', 16);
notElsewhere.addAddress('::', 'ipv6');
notElsewhere.addAddress('::1', 'ipv6');
notElsewhere.addSubnet('fe80::', 10, 'ipv6');

/**
 * Whether a host can be a pod's: not this machine, nothing that only its own network link knows, not the address that is none.
 * RunPod gives public addresses. One of these in an answer would let whoever forged it reach what listens here (a metadata
 * service, a forwarded port) in a pod's name.
 */
export function canBePod(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) === 6) return !notElsewhere.check(bare, 'ipv6');
  const written = canonical(bare);
  return isIP(written) === 4 ? !notElsewhere.check(written, 'ipv4') : !isLoopback(written.replace(/\.$/, ''));
}

/** `127.1`, `0x7f.1` and `2130706433` are 127.0.0.1 to whoever connects. */
function canonical(host: string): string {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return host;
  }
}
