import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { codeOf } from './http';

/** Where Linux distributions keep what they trust, all in one file. */
const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem'];

/**
 * What Node trusts by itself and what this computer trusts besides: a company whose network looks into TLS has its own
 * certificate there. May take a moment on macOS, so it is for those who need it. Empty where the system tells nothing.
 */
export function systemCertificates(platform: NodeJS.Platform = process.platform, env: NodeJS.ProcessEnv = process.env): readonly string[] {
  // From Node 22.15 on.
  const node: { readonly rootCertificates: readonly string[]; readonly getCACertificates?: (kind: 'default' | 'system') => string[] } = tls;
  try {
    const told = node.getCACertificates?.('system') ?? [];
    if (node.getCACertificates !== undefined && told.length > 0) return [...new Set([...node.getCACertificates('default'), ...told])];
  } catch {
    // Built without it: what lies in files is still to be had.
  }
  if (platform === 'win32' || platform === 'darwin') return [];
  const files = [env['SSL_CERT_FILE'], ...bundles].filter((file) => file !== undefined && file !== '');
  const found = files.map(textOf).find((text) => text !== '');
  return found === undefined ? [] : [...node.rootCertificates, found, textOf(env['NODE_EXTRA_CA_CERTS'])].filter((text) => text !== '');
}

function textOf(file: string | undefined): string {
  try {
    return file === undefined || file === '' ? '' : readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const untrusted: readonly unknown[] = ['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'];

/** Whether a connection was given up because nobody we trust vouches for the other end; nothing has been sent then. */
export function isUntrusted(error: unknown): boolean {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++) if (untrusted.includes(codeOf(one))) return true;
  return false;
}
