import { which } from '../setup/shell.mjs';

/** The command of a desktop VS Code (or Cursor) that can show a window here, or undefined. */
export function findDesktopEditor() {
  const { DISPLAY, WAYLAND_DISPLAY, VSCODE_IPC_HOOK_CLI, REMOTE_CONTAINERS, SSH_CONNECTION } = process.env;
  // In a terminal of a remote window, `code` is another program, which only sends files to that window.
  if (VSCODE_IPC_HOOK_CLI || REMOTE_CONTAINERS) return undefined;
  const hasDisplay = process.platform === 'linux' ? Boolean(DISPLAY || WAYLAND_DISPLAY) : !SSH_CONNECTION;
  return hasDisplay ? (which('code') ?? which('cursor') ?? which('codium')) : undefined;
}
