import type * as fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

type Replaceable = 'rename' | 'rm' | 'open' | 'link';

/**
 * Runs `body` as if on Windows while somebody else has files open: the first `times` calls of these functions fail with `code`.
 * @returns how often each was called
 */
export async function whereFilesAreInUse(faults: Partial<Record<Replaceable, { readonly code: string; readonly times: number }>>, body: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
  const real: typeof fs = process.getBuiltinModule('node:fs/promises');
  const platform = Object.getOwnPropertyDescriptor(process, 'platform');
  const calls = new Map<string, number>();
  const before = new Map<Replaceable, unknown>();
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
  for (const [name, { code, times }] of Object.entries(faults) as [Replaceable, { code: string; times: number }][]) {
    const original = real[name] as (...words: unknown[]) => Promise<unknown>;
    before.set(name, original);
    const failing = async (...words: unknown[]): Promise<unknown> => {
      const count = (calls.get(name) ?? 0) + 1;
      calls.set(name, count);
      if (count <= times) throw Object.assign(new Error(`${code}: somebody has it open, ${name}`), { code, syscall: name });
      return original(...words);
    };
    Object.defineProperty(real, name, { value: failing, configurable: true, writable: true, enumerable: true });
  }
  syncBuiltinESMExports();
  try {
    await body();
  } finally {
    for (const [name, value] of before) Object.defineProperty(real, name, { value, configurable: true, writable: true, enumerable: true });
    syncBuiltinESMExports();
    if (platform !== undefined) Object.defineProperty(process, 'platform', platform);
  }
  return calls;
}
