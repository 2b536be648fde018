import type * as Ssh2 from 'ssh2';

export type Ssh2Module = typeof Ssh2;

/**
 * Loads ssh2 at first need (it is a bundle of its own and activation must not pay for it). It is a CommonJS module: run from
 * source its exports come under `default`, from the bundle beside the module's namespace, so both places are looked at.
 */
export async function loadSsh2(): Promise<Ssh2Module> {
  const loaded: Ssh2Module & { default?: Ssh2Module } = await import('ssh2');
  return loaded.default ?? loaded;
}
