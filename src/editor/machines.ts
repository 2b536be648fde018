import { homedir } from 'node:os';
import { join } from 'node:path';
import { FileType, l10n, Uri, workspace, type Disposable, type Memento } from 'vscode';
import { messageOf } from '../base/errors';
import { MACHINE_PREFIX, machinePod } from '../pods/machine';
import type { HandConnection } from '../pods/profile/connectionFile';
import type { Pod } from '../runpod/types';
import { command, run, Targets } from './commands/command';
import type { Parts } from './parts';
import { FolderConsents } from './profile/consent';
import { UntrustedFolderError } from './profile/folder';
import { notice } from './prompts/notice';

const KEY = 'runpod.machines';
const FILE = '.runpod_config.json';

/** Machines that were connected to by hand and agreed to; kept, so that a window on one of their folders can be reloaded. */
export class HandMachines {
  constructor(private readonly memento: Memento) {}

  /** The machine with that id, in the shape of a pod. */
  pod(id: string): Pod | undefined {
    const connection = this.#connection(id);
    return connection && machinePod(connection);
  }

  /** Those that this window has to do with: one of their folders is open, or they are connected. */
  here(isConnected: (id: string) => boolean): readonly Pod[] {
    const open = new Set((workspace.workspaceFolders ?? []).map((f) => f.uri.authority));
    const all = Object.values(this.memento.get<Record<string, HandConnection>>(KEY) ?? {});
    return all.map((connection) => machinePod(connection)).filter(({ id }) => open.has(id) || isConnected(id));
  }

  /** The private key that was named for it. */
  keyPath(id: string): string | undefined {
    const path = this.#connection(id)?.sshKey;
    return path?.startsWith('~') ? join(homedir(), path.slice(1)) : path;
  }

  async add(connection: HandConnection): Promise<Pod> {
    const pod = machinePod(connection);
    await this.memento.update(KEY, { ...this.memento.get<Record<string, HandConnection>>(KEY), [pod.id]: connection });
    return pod;
  }

  #connection(id: string): HandConnection | undefined {
    return id.startsWith(MACHINE_PREFIX) ? this.memento.get<Record<string, HandConnection>>(KEY)?.[id] : undefined;
  }
}

/** `runpod.connectMachine`: the machine that the folder names; `runpod.saveConnection(pod)`: a pod's address written to the folder. */
export function registerMachines(parts: Parts, machines: HandMachines): Disposable[] {
  const consents = new FolderConsents(parts.context.globalState);
  const targets = new Targets(parts.store, parts.activePod);
  return [
    command('runpod.connectMachine', parts.log, async (target) => {
      const uri = await connectionFile(target instanceof Uri ? target : undefined);
      const folder = workspace.getWorkspaceFolder(uri);
      if (!workspace.isTrusted || !folder) throw new UntrustedFolderError(l10n.t('Nothing of an untrusted folder is used. Trust it first.'));
      const { readConnectionFile } = await import('../pods/profile/connectionFile');
      const connection = read(readConnectionFile, new TextDecoder().decode(await workspace.fs.readFile(uri)));
      const { user, host, port, sshKey, remoteDir } = connection;
      await consents.require(folder, {
        about: 'connection',
        covers: [`${user}@${host}:${port}`, `key:${sshKey ?? ''}`, `dir:${remoteDir}`],
        message: l10n.t('Connect to {0}?', `${user}@${host}:${port}`),
        detail: [l10n.t('{0} of {1} names this machine. Files that you save there, and what you run, go to whoever has it.', FILE, folder.name), sshKey ? l10n.t('It is logged in to with the key {0}.', sshKey) : '', l10n.t('Its host key is remembered at the first connection and held against every later one.')].filter(Boolean).join('\n\n'),
        verb: l10n.t('Connect'),
      });
      const machine = await machines.add(connection);
      await run('runpod.openRemoteWorkspace', { podId: machine.id });
      return { id: machine.id };
    }),
    command('runpod.saveConnection', parts.log, async (target) => {
      const pod = await targets.forUse(target, l10n.t('Write down the address of which pod?'));
      const folder = (workspace.workspaceFolders ?? []).find((f) => f.uri.scheme === 'file' || f.uri.scheme === 'vscode-remote');
      if (!folder) throw new Error(l10n.t('Open a local folder first: the file is written there.'));
      const { connectionFileOf } = await import('../pods/profile/connectionFile');
      const text = connectionFileOf(pod, await parts.identities.ownPrivateKeyPath());
      if (text === undefined) throw new Error(l10n.t('{0} has no direct SSH address just now.', pod.name));
      const uri = Uri.joinPath(folder.uri, FILE);
      if (await isFile(uri)) {
        const replace = l10n.t('Replace {0}', FILE);
        await notice.confirm(l10n.t('{0} is there already. Replace it with the address of {1}?', FILE, pod.name), '', replace);
      }
      await workspace.fs.writeFile(uri, new TextEncoder().encode(text));
      notice.brief(l10n.t('Wrote {0}. The address changes when the pod is started again.', FILE), 8000);
      return uri.toString();
    }),
  ];
}

const isFile = (uri: Uri): Promise<boolean> => Promise.resolve(workspace.fs.stat(uri).then((s) => (s.type & FileType.File) !== 0, () => false));

async function connectionFile(at: Uri | undefined): Promise<Uri> {
  const folders = at ? [workspace.getWorkspaceFolder(at)].filter((f) => f !== undefined) : (workspace.workspaceFolders ?? []);
  for (const folder of folders) {
    const uri = Uri.joinPath(folder.uri, FILE);
    if (await isFile(uri)) return uri;
  }
  throw new Error(l10n.t('No folder of this window has a {0}.', FILE));
}

function read(reader: (text: string) => HandConnection, text: string): HandConnection {
  try {
    return reader(text);
  } catch (error) {
    throw new Error(l10n.t('{0} cannot be used: {1}', FILE, messageOf(error)), { cause: error });
  }
}
