import { l10n, type SecretStorage, type WorkspaceFolder } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { NamedProfile } from '../../pods/profile/asked';
import type { FolderConsents } from './consent';
import { ask } from '../prompts/ask';

const secretName = (name: string): string => `runpod.podSecret:${name}`;

/**
 * The pod's variables as a profile wants them, after the person has agreed, by name, to what leaves this machine. A secret
 * that is not kept yet is asked for.
 * @throws CancelledError; MissingValuesError
 */
export async function podEnvironment(folder: WorkspaceFolder, named: NamedProfile, secrets: SecretStorage, consents: FolderConsents): Promise<Record<string, string>> {
  const { environmentOf, leavingOf } = await import('../../pods/profile/environment');
  const leaving = leavingOf(named.profile);
  if (leaving.length > 0) {
    const target = named.profile.image ?? named.profile.templateId ?? l10n.t('RunPod’s own image');
    const lines = leaving.map((l) => (l.from === 'environment' ? l10n.t('• {0} of this machine, as {1}', l.name, l.to) : l10n.t('• the secret {0} kept by the editor, as {1}', l.name, l.to)));
    await consents.require(folder, {
      about: `variables:${named.key ?? ''}`,
      // What receives them is part of the question: the same name in another image is another matter.
      covers: [...leaving.map((l) => `${l.from}:${l.name}>${l.to}`), `image:${named.profile.image ?? ''}`, `template:${named.profile.templateId ?? ''}`, `args:${named.profile.args ?? ''}`, `setup:${named.profile.setup ?? ''}`],
      message: l10n.t('Send {0} from this machine to the pod?', [...new Set(leaving.map((l) => l.name))].join(', ')),
      detail: `${l10n.t('runpod.json of {0} puts these on pods that run {1}:', folder.name, target)}\n${lines.join('\n')}\n\n${l10n.t('Whoever has a key of your RunPod account can read a pod’s variables.')}`,
      verb: l10n.t('Send to the Pod'),
    });
  }
  for (const l of leaving) if (l.from === 'secretStorage' && l.required && (await secrets.get(secretName(l.name))) === undefined) await askSecret(l.name, secrets);
  return environmentOf(named.profile, {
    environment: (name) => process.env[name],
    secretStorage: async (name) => secrets.get(secretName(name)),
  });
}

async function askSecret(name: string, secrets: SecretStorage): Promise<void> {
  const value = await ask.text({
    title: l10n.t('Secret {0}', name),
    prompt: l10n.t('It is kept in the editor’s secret storage on this machine and put on pods whose profile asks for it.'),
    password: true,
    ignoreFocusOut: true,
  });
  if (value === undefined || value === '') throw new CancelledError();
  await secrets.store(secretName(name), value);
}
