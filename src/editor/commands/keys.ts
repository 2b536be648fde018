import { homedir } from 'node:os';
import { join } from 'node:path';
import { FileType, l10n, ThemeIcon, Uri, workspace, type Disposable, type QuickPickItem } from 'vscode';
import { CancelledError } from '../../base/errors';
import { RunPodError } from '../../runpod/errors';
import { isRunPod } from '../../runpod/keyOrigin';
import type { Parts } from '../parts';
import { choices, command } from './command';
import { notice } from '../prompts/notice';
import { ask, setRows } from '../prompts/ask';

interface Source {
  readonly label: string;
  readonly description?: string;
  readonly read: () => Promise<string | undefined>;
}

export function registerKeyCommands(parts: Parts): Disposable[] {
  return [
    command('runpod.setApiKey', parts.log, async (given) => {
      const ready = choices(given)?.['key'];
      const name = choices(given)?.['name'];
      const origin = await parts.keys.destination();
      const key = typeof ready === 'string' ? ready : await (await pickSource(parts, origin)).read();
      if (key === undefined) return undefined;
      await check(parts, key, origin);
      await parts.keys.store(key, typeof name === 'string' && name.trim() !== '' ? name.trim() : parts.keys.active, origin);
      await parts.store.refresh();
      return { pods: parts.store.state.pods.length };
    }),
    command('runpod.switchAccount', parts.log, async (given) => {
      const { keys } = parts;
      const wanted = typeof given === 'string' ? given : await pickAccount(parts);
      if (wanted === ADD) return addAccount(parts);
      const name = wanted === '' ? undefined : wanted;
      if (name !== undefined && !keys.names.includes(name)) throw new Error(l10n.t('No key is kept as {0}. There is: {1}.', name, keys.names.join(', ') || l10n.t('none with a name')));
      await keys.use(name);
      await parts.store.refresh();
      sayWhose(name);
      return { account: name, pods: parts.store.state.pods.length };
    }),
    command('runpod.signOut', parts.log, async () => {
      await parts.keys.signOut();
      const left = parts.keys.environmentKeyPresent ? ` ${l10n.t('RUNPOD_API_KEY in the environment is no longer used here.')}` : '';
      notice.brief(l10n.t('Signed out of RunPod.') + left, 8000);
    }),
    command('runpod.addSshKey', parts.log, async () => {
      const client = await parts.api.client();
      const key = await parts.identities.ownPublicKey();
      await client.sshKeys.add(key);
      void notice.inform(l10n.t('The key of this extension is now among your account’s SSH keys. Pods created from now on accept it; running pods keep the keys they started with.'));
      return key;
    }),
  ];
}

const sayWhose = (name: string | undefined): void =>
  notice.brief(name === undefined ? l10n.t('This window uses the key without a name.') : l10n.t('This window uses the RunPod account {0}.', name), 8000);

const ADD = '\0add';

/** @returns the name, empty for the key without one, or `ADD` */
async function pickAccount({ keys }: Parts): Promise<string> {
  const unnamed = (await keys.hasUnnamed()) || keys.environmentKeyPresent;
  const mark = (name: string | undefined): Pick<QuickPickItem, 'iconPath'> => (keys.active === name ? { iconPath: new ThemeIcon('check') } : {});
  const remove = { iconPath: new ThemeIcon('trash'), tooltip: l10n.t('Forget This Key') };
  const pick = ask.list<QuickPickItem & { readonly name: string }>();
  pick.title = l10n.t('RunPod Account of This Window');
  pick.placeholder = l10n.t('Each window uses one; running pods of the others go on billing');
  setRows(pick, [
    ...(unnamed ? [{ label: l10n.t('Key without a Name'), ...mark(undefined), name: '' }] : []),
    ...keys.names.map((name) => ({ label: name, ...mark(name), name, buttons: [remove] })),
    { label: l10n.t('Add an Account…'), iconPath: new ThemeIcon('add'), name: ADD },
  ]);
  try {
    return await new Promise<string>((resolve, reject) => {
      pick.onDidAccept(() => resolve(pick.selectedItems[0]?.name ?? ''));
      pick.onDidTriggerItemButton(({ item }) => {
        void keys.forget(item.name);
        setRows(pick, pick.items.filter((i) => i !== item));
      });
      pick.onDidHide(() => reject(new CancelledError()));
      pick.show();
    });
  } finally {
    pick.dispose();
  }
}

async function addAccount(parts: Parts): Promise<{ account: string; pods: number }> {
  const name = await ask.text({
    title: l10n.t('Add an Account'),
    prompt: l10n.t('A name for it, for example of the team'),
    ignoreFocusOut: true,
    validateInput: (t) => (t.trim() === '' ? l10n.t('A name is needed.') : parts.keys.names.includes(t.trim()) ? l10n.t('A key is already kept as {0}.', t.trim()) : undefined),
  });
  if (!name) throw new CancelledError();
  const origin = await parts.keys.destination();
  const key = await askKey(origin);
  await check(parts, key, origin);
  await parts.keys.store(key, name.trim(), origin);
  await parts.store.refresh();
  sayWhose(name.trim());
  return { account: name.trim(), pods: parts.store.state.pods.length };
}

/** One call that only a good key gets answered; a bad one is told from a bad network. */
async function check(parts: Parts, key: string, origin: string): Promise<void> {
  const client = await parts.api.clientFor(key, origin);
  try {
    await client.pods.list();
  } catch (error) {
    // A key that may not list pods is a key all the same, but of no use here: RunPod's words say so.
    if (error instanceof RunPodError && error.code === 'rate-limited') return;
    throw error;
  } finally {
    client.dispose();
  }
}

async function pickSource(parts: Parts, origin: string): Promise<Source> {
  const found = await importable(parts);
  const type: Source = { label: l10n.t('Enter a Key…'), description: l10n.t('made in the RunPod console under Settings, API Keys'), read: () => askKey(origin) };
  if (found.length === 0) return type;
  const picked = await ask.oneOf([type, ...found], { title: l10n.t('Set API Key'), placeHolder: l10n.t('Where is the key?'), ignoreFocusOut: true });
  if (!picked) throw new CancelledError();
  return picked;
}

async function askKey(origin: string): Promise<string> {
  const key = await ask.text({
    title: l10n.t('Set API Key'),
    prompt: isRunPod(origin)
      ? l10n.t('It is kept in the editor’s secret storage on this machine and sent to RunPod only.')
      : l10n.t('It is kept in the editor’s secret storage on this machine and sent to {0} only.', origin),
    placeHolder: 'rpa_…',
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (/\s/.test(text.trim()) ? l10n.t('A key has no spaces.') : undefined),
  });
  if (!key?.trim()) throw new CancelledError();
  return key.trim();
}

/** Files that other tools keep a key in. Only looked whether they are there; read when chosen. */
async function importable(parts: Parts): Promise<Source[]> {
  const { keyInEnvFile, keyInToml } = await import('../keyImport');
  const home = homedir();
  const places: { uri: Uri; label: string; read: (text: string) => string | undefined }[] = [
    { uri: Uri.file(join(home, '.runpod', 'config.toml')), label: '~/.runpod/config.toml', read: keyInToml },
    { uri: Uri.file(join(home, '.config', 'runpod_cli', '.env')), label: '~/.config/runpod_cli/.env', read: keyInEnvFile },
  ];
  if (workspace.isTrusted)
    for (const folder of workspace.workspaceFolders ?? [])
      if (folder.uri.scheme === 'file') places.push({ uri: Uri.joinPath(folder.uri, '.env'), label: l10n.t('.env of {0}', folder.name), read: keyInEnvFile });
  const sources: Source[] = [];
  for (const place of places) {
    const stat = await workspace.fs.stat(place.uri).then((s) => s, () => undefined);
    if (stat === undefined || !(stat.type & FileType.File)) continue;
    sources.push({
      label: l10n.t('Import from {0}', place.label),
      read: async () => {
        const key = place.read(new TextDecoder().decode(await workspace.fs.readFile(place.uri)));
        if (!key) throw new Error(l10n.t('{0} holds no RunPod API key.', place.label));
        return key;
      },
    });
  }
  if (parts.keys.environmentKeyPresent)
    sources.push({
      label: l10n.t('Use RUNPOD_API_KEY of the Environment'),
      read: async () => {
        await parts.keys.useEnvironmentKey();
        return undefined;
      },
    });
  return sources;
}
