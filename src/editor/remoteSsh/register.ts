import { commands, env, FileType, l10n, UIKind, Uri, workspace, type Disposable } from 'vscode';
import type { Pod } from '../../runpod/types';
import type { ConfigHost } from '../../ssh/configText';
import { choices, command, targetId, Targets } from '../commands/command';
import type { Parts } from '../parts';
import { isOnPod } from '../transfer/arguments';
import { mountOf } from '../transfer/commands';
import type { PodAliases } from './aliases';
import { fittingRemote, installedRemote } from './editors';
import { notice } from '../prompts/notice';

/** Pods by name in any terminal, and for the editor's own Remote-SSH. */
export function registerRemoteSsh({ log, store }: Parts, aliases: PodAliases): Disposable[] {
  const targets = new Targets(store);
  return [
    command('runpod.addSshConfig', log, async (target, second) => {
      const confirmed = (choices(second) ?? choices(target))?.['confirmed'] === true;
      const pod = targetId(target) === undefined ? undefined : await targets.pod(target, '');
      const { config } = aliases.files;
      if (pod !== undefined) return { config, alias: (await aliases.ready(pod, confirmed)).alias };
      await aliases.enable(confirmed);
      const { hosts } = await aliases.files.read();
      if (!confirmed) void tellAliases(hosts);
      return { config, aliases: hosts.map(({ alias }) => alias) };
    }),
    command('runpod.removeSshConfig', log, async () => {
      await aliases.remove();
      notice.brief(l10n.t('The pods are no longer in the SSH configuration.'), 5000);
    }),
    command('runpod.reopenInRemoteSsh', log, async (target, second) => {
      const active = targetId(target) === undefined ? (workspace.workspaceFolders ?? []).find(({ uri }) => isOnPod(uri))?.uri : undefined;
      const meant = target ?? active;
      const pod = await targets.pod(meant, l10n.t('Reopen which pod in Remote-SSH?'), (p) => p.status === 'RUNNING');
      const given = choices(second);
      const { alias } = await aliases.ready(pod, given?.['confirmed'] === true);
      const path = meant instanceof Uri && isOnPod(meant) ? await folderOf(meant) : typeof given?.['path'] === 'string' ? given['path'] : mountOf(pod);
      const uri = Uri.from({ scheme: 'vscode-remote', authority: `ssh-remote+${alias}`, path });
      if (given?.['open'] === false) return { alias, uri: uri.toString() };
      if (installedRemote() === undefined) void offerRemote(alias);
      else await commands.executeCommand('vscode.openFolder', uri, onlyThatPod(pod) ? { forceReuseWindow: true } : { forceNewWindow: true });
      return { alias, uri: uri.toString() };
    }),
  ];
}

async function folderOf(uri: Uri): Promise<string> {
  const { type } = await workspace.fs.stat(uri);
  return type & FileType.Directory ? uri.path : Uri.joinPath(uri, '..').path;
}

/** Whether the window has nothing else open, so that it can become the pod's. */
const onlyThatPod = (pod: Pod): boolean => (workspace.workspaceFolders ?? []).every(({ uri }) => isOnPod(uri) && uri.authority === pod.id);

async function offerRemote(alias: string): Promise<void> {
  const id = fittingRemote();
  const copy = l10n.t('Copy “ssh {0}”', alias);
  const install = l10n.t('Show the Extension');
  const browser = env.uiKind === UIKind.Web;
  const message = browser
    ? l10n.t('Remote-SSH needs the desktop editor. “ssh {0}” works in any terminal of this computer.', alias)
    : l10n.t('No Remote-SSH extension is installed in this editor ({0} fits). “ssh {1}” works in any terminal.', id, alias);
  const answer = await notice.inform(message, ...(browser ? [] : [install]), copy);
  if (answer === install) await commands.executeCommand('workbench.extensions.search', `@id:${id}`);
  if (answer === copy) await env.clipboard.writeText(`ssh ${alias}`);
}

async function tellAliases(hosts: readonly ConfigHost[]): Promise<void> {
  const first = hosts.find(({ at }) => typeof at !== 'string') ?? hosts[0];
  if (first === undefined) return;
  const copy = l10n.t('Copy “ssh {0}”', first.alias);
  const answer = await notice.inform(l10n.t('ssh, scp, rsync, git and Remote-SSH know the pods now, in any terminal: {0}.', hosts.map(({ alias }) => alias).slice(0, 6).join(', ')), copy);
  if (answer === copy) await env.clipboard.writeText(`ssh ${first.alias}`);
}
