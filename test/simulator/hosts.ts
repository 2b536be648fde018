import { join } from 'node:path';
import type { MachineHost } from './machine';
import { PaperHost } from './paper';

/** `full`: namespaces of their own; `plain`: sshd alone; `none`: the API without machines. */
export type Mode = 'full' | 'plain' | 'none';

/** The machines of the pods. @param mode absent: the best that this computer allows. */
export async function openHost(mode: Mode | undefined, stateDir: string): Promise<MachineHost> {
  if (mode === 'none') return new PaperHost();
  const { createMachineHost } = await import('./machine/host');
  return createMachineHost({ stateDir: join(stateDir, 'machines'), mode: mode ?? 'auto' });
}
