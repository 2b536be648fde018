/**
 * Ends a process, or with a negative number its group, at once.
 * @returns false where there is nothing of that number any more
 */
export function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
