import type { Machine } from './machine';
import type { Run } from './pod';

/** How often a start looks whether sshd listens yet, in wall time: closely at first, now and then later. */
const KEEN_KNOCK_MS = 40;
const KEEN_KNOCKS = 200;
const IDLE_KNOCK_MS = 1000;

/** Leads the public ports to the machine; SSH's refuses until sshd listens, and for good where none does. */
export function expose(run: Run, machine: Machine): void {
  for (const [privatePort, port] of run.ports) if (privatePort !== 22) port.target(machine, privatePort);
  const ssh = run.ports.get(22);
  if (ssh === undefined) return;
  const knock = (attempt: number): void => {
    machine.connect(22).then(
      (stream) => {
        stream.on('error', () => undefined).destroy();
        if (run.abort.signal.aborted) return;
        ssh.target(machine, 22);
        run.sshListens = true;
      },
      () => {
        if (run.abort.signal.aborted) return;
        setTimeout(() => knock(attempt + 1), attempt < KEEN_KNOCKS ? KEEN_KNOCK_MS : IDLE_KNOCK_MS).unref();
      },
    );
  };
  knock(0);
}
