import { fstatSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 500;

/**
 * Calls `gone` once whoever started this process has gone: its end of a piped stdin closes, or a launcher between us
 * (npm, a shell, tsx) dies, which a SIGKILL cannot pass on.
 */
export function whenParentIsGone(gone: () => void): void {
  const stdin = statOfStdin();
  if (stdin !== undefined && (stdin.isFIFO() || stdin.isSocket())) {
    process.stdin.on('end', gone).on('close', gone).on('error', gone);
    process.stdin.resume();
  }
  const chain = launchers();
  const timer = setInterval(() => {
    if (process.ppid === chain[0]?.parent && chain.slice(1).every(({ pid, parent }) => parentOf(pid) === parent)) return;
    clearInterval(timer);
    gone();
  }, LOOK_EVERY_MS);
  timer.unref();
}

function statOfStdin(): ReturnType<typeof fstatSync> | undefined {
  try {
    return fstatSync(0);
  } catch {
    return undefined;
  }
}

/** This process and the programs of the toolchain above it, each with its parent; the topmost launcher's own parent may go. */
function launchers(): { pid: number; parent: number }[] {
  const chain = [{ pid: process.pid, parent: process.ppid }];
  for (let pid = process.ppid; chain.length < 8 && isLauncher(pid); ) {
    const parent = parentOf(pid);
    if (parent === undefined || !isLauncher(parent)) break;
    chain.push({ pid, parent });
    pid = parent;
  }
  return chain;
}

function isLauncher(pid: number): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return /npm|tsx/.test(command) && command.includes('simulator');
  } catch {
    return false;
  }
}

/** The parent of a process, where the system tells (Linux). */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
