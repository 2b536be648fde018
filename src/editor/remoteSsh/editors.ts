import { env, extensions } from 'vscode';

/** Extensions that open a window on a machine of the SSH configuration; all of them answer to `ssh-remote`. */
const remotes = [
  'ms-vscode-remote.remote-ssh',
  'anysphere.remote-ssh',
  'codeium.windsurf-remote-openssh',
  'jeanp413.open-remote-ssh',
] as const;

/** The one that is installed here. */
export const installedRemote = (): string | undefined => remotes.find((id) => extensions.getExtension(id) !== undefined);

/** The one that fits this editor: Microsoft's is licensed for its own editor only. */
export function fittingRemote(): (typeof remotes)[number] {
  if (/cursor/i.test(env.appName)) return 'anysphere.remote-ssh';
  if (/windsurf/i.test(env.appName)) return 'codeium.windsurf-remote-openssh';
  return /visual studio code/i.test(env.appName) ? 'ms-vscode-remote.remote-ssh' : 'jeanp413.open-remote-ssh';
}
