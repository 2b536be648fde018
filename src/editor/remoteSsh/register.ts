import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { commands, env, FileType, l10n, ProgressLocation, UIKind, Uri, window, workspace, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import { addressOf, defaultPublicPortWaitMs } from '../../pods/address';
import type { Pod } from '../../runpod/types';
import { ConfigFiles } from '../../ssh/configFiles';
import { editUserConfig, hasInclude, includeLine, withInclude, withoutInclude } from '../../ssh/configInclude';
import type { ConfigHost } from '../../ssh/configText';
import { pinFile } from '../../ssh/pinFile';
import { PinStore } from '../../ssh/pins';
import { choices, command, targetId, Targets } from '../commands/command';
import type { Parts } from '../parts';
import { isOnPod } from '../transfer/arguments';
import { mountOf } from '../transfer/commands';
import { fittingRemote, installedRemote } from './editors';
import { AliasKeeper } from './keeper';

/** That the person has let us add our line to their SSH configuration. */
const CONSENT = 'runpod.sshConfig';

/** Pods by name for OpenSSH: in any terminal, and for the editor's own Remote-SSH. */
export function registerRemoteSsh(parts: Parts): Disposable[] {
  const { context, store, log, identities } = parts;
  const targets = new Targets(store);
  const files = new ConfigFiles(join(homedir(), '.ssh', 'runpod-workspaces'), createHash('sha256').update(context.globalStorageUri.toString()).digest('hex').slice(0, 8));
  const enabled = (): boolean => context.globalState.get<boolean>(CONSENT) === true;
  const pins = pinFile(join(context.globalStorageUri.fsPath, 'ssh', 'host-keys.json'));
  const keeper = new AliasKeeper({
    store,
    sessions: parts.sessions,
    files,
    enabled,
    log,
    keyFiles: (pod) => identities.filesFor(pod.env['PUBLIC_KEY'] ?? ''),
    reach: {
      ...parts.reach,
      identities: () => identities.findQuietly(),
      pins: new PinStore({ read: () => pins.read(), write: async () => undefined, exclusive: (work) => work() }, log),
    },
  });
  keeper.start();

  const consent = async (confirmed: boolean): Promise<void> => {
    const missing = await withoutOurLine(files);
    if (enabled() && missing.length === 0) return;
    if (missing.length > 0 && !confirmed) {
      const add = l10n.t('Add the Line');
      const answer = await window.showInformationMessage(
        l10n.t('Add one line to {0}?', missing.map(({ file }) => file).join(l10n.t(' and '))),
        {
          modal: true,
          detail: l10n.t('{0}\n\nIt goes first and names a file that this extension keeps up to date: an alias runpod-<name> for each pod, with its current address, your key and its checked host key. Nothing else in your file is touched.', missing[0]?.line ?? ''),
        },
        add,
      );
      if (answer !== add) throw new CancelledError();
    }
    for (const { file, line } of missing) await editUserConfig(file, (text) => withInclude(text, line));
    await context.globalState.update(CONSENT, true);
    keeper.update();
    await keeper.settled();
  };

  return [
    keeper,
    command('runpod.addSshConfig', log, async (target, second) => {
      const confirmed = (choices(second) ?? choices(target))?.['confirmed'] === true;
      const pod = targetId(target) === undefined ? undefined : await targets.pod(target, '');
      await consent(confirmed);
      if (pod !== undefined) return { config: files.config, alias: (await ready(keeper, pod)).alias };
      const { hosts } = await files.read();
      if (!confirmed) void tellAliases(hosts);
      return { config: files.config, aliases: hosts.map(({ alias }) => alias) };
    }),
    command('runpod.removeSshConfig', log, async () => {
      await context.globalState.update(CONSENT, false);
      await keeper.settled();
      for (const file of userConfigs()) await editUserConfig(file, (text) => withoutInclude(text, includeLine(file, files.config)));
      await files.remove();
      window.setStatusBarMessage(l10n.t('The pods are no longer in the SSH configuration.'), 5000);
    }),
    command('runpod.reopenInRemoteSsh', log, async (target, second) => {
      const active = targetId(target) === undefined ? (workspace.workspaceFolders ?? []).find(({ uri }) => isOnPod(uri))?.uri : undefined;
      const meant = target ?? active;
      const pod = await targets.pod(meant, l10n.t('Reopen which pod in Remote-SSH?'), (p) => p.status === 'RUNNING');
      // What cannot be reached directly is said before anybody is asked anything.
      addressOf(pod, { now: parts.now(), publicPortWaitMs: defaultPublicPortWaitMs });
      const given = choices(second);
      await consent(given?.['confirmed'] === true);
      const { alias } = await ready(keeper, pod);
      const path = meant instanceof Uri && isOnPod(meant) ? await folderOf(meant) : typeof given?.['path'] === 'string' ? given['path'] : mountOf(pod);
      const uri = Uri.from({ scheme: 'vscode-remote', authority: `ssh-remote+${alias}`, path });
      if (given?.['open'] === false) return { alias, uri: uri.toString() };
      if (installedRemote() === undefined) void offerRemote(alias);
      else await commands.executeCommand('vscode.openFolder', uri, onlyThatPod(pod) ? { forceReuseWindow: true } : { forceNewWindow: true });
      return { alias, uri: uri.toString() };
    }),
  ];
}

/** The configurations that are read: OpenSSH's own, and another one that the person told Remote-SSH to use (a folder has no say). */
function userConfigs(): string[] {
  const told = workspace.getConfiguration('remote.SSH').inspect<string | null>('configFile')?.globalValue ?? '';
  const other = told.replace(/^~(?=[/\\]|$)/, homedir());
  return [...new Set([join(homedir(), '.ssh', 'config'), ...(other === '' ? [] : [other])])];
}

async function withoutOurLine(files: ConfigFiles): Promise<{ readonly file: string; readonly line: string }[]> {
  const missing: { file: string; line: string }[] = [];
  for (const file of userConfigs()) {
    const line = includeLine(file, files.config);
    if (!hasInclude((await pinFile(file).read()) ?? '', line)) missing.push({ file, line });
  }
  return missing;
}

const ready = (keeper: AliasKeeper, pod: Pod): Thenable<ConfigHost> =>
  window.withProgress({ location: ProgressLocation.Notification, title: l10n.t('Checking the host key of {0}', pod.name), cancellable: true }, (_progress, token) => {
    const cancel = new AbortController();
    token.onCancellationRequested(() => cancel.abort());
    return keeper.ensure(pod.id, cancel.signal);
  });

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
  const answer = await window.showInformationMessage(message, ...(browser ? [] : [install]), copy);
  if (answer === install) await commands.executeCommand('workbench.extensions.search', `@id:${id}`);
  if (answer === copy) await env.clipboard.writeText(`ssh ${alias}`);
}

async function tellAliases(hosts: readonly ConfigHost[]): Promise<void> {
  const first = hosts.find(({ at }) => typeof at !== 'string') ?? hosts[0];
  if (first === undefined) return;
  const copy = l10n.t('Copy “ssh {0}”', first.alias);
  const answer = await window.showInformationMessage(l10n.t('ssh, scp, rsync, git and Remote-SSH know the pods now, in any terminal: {0}.', hosts.map(({ alias }) => alias).slice(0, 6).join(', ')), copy);
  if (answer === copy) await env.clipboard.writeText(`ssh ${first.alias}`);
}
