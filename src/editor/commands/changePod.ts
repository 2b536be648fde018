import { l10n, ThemeIcon, type Disposable, type QuickPickItem } from 'vscode';
import { CancelledError } from '../../base/errors';
import { CREATE_MARK } from '../../pods/createMark';
import { GUARD_VARIABLE } from '../../pods/guard/wish';
import { SPOT_MARK } from '../../pods/spot';
import type { Pod, UpdatePodRequest } from '../../runpod/types';
import type { Parts } from '../parts';
import { choices, command, Targets } from './command';
import { showUntilReady } from './untilReady';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

const PORT = /^[1-9]\d{0,4}\/(http|tcp)$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Rename, lock and unlock a pod; change its ports or environment, with what a reset would erase said first. */
export function registerPodChanges(parts: Parts): Disposable[] {
  const targets = new Targets(parts.store, parts.activePod);
  const patch = async (pod: Pod, change: UpdatePodRequest): Promise<Pod> => {
    const now = await (await parts.api.client()).pods.update(pod.id, change);
    parts.store.put(now);
    parts.sessions.podChanged(now);
    parts.store.hurry();
    return now;
  };
  const lock = (locked: boolean) => async (target: unknown) => {
    const pod = await targets.pod(target, locked ? l10n.t('Lock which pod?') : l10n.t('Unlock which pod?'), (p) => p.locked !== locked);
    await patch(pod, { locked });
    if (locked) notice.brief(l10n.t('{0} is locked: RunPod refuses to stop or reset it, by hand or by a limit. It goes on billing.', pod.name), 12_000);
    return { id: pod.id, locked };
  };
  return [
    command('runpod.renamePod', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Rename which pod?'));
      const given = choices(options)?.['name'];
      const name = typeof given === 'string' ? given : await ask.text({ title: l10n.t('Rename {0}', pod.name), value: pod.name, ignoreFocusOut: true, validateInput: (t) => (t.trim() === '' ? l10n.t('A pod needs a name.') : undefined) });
      if (name === undefined) throw new CancelledError();
      return { id: pod.id, name: (await patch(pod, { name: name.trim() })).name };
    }),
    command('runpod.lockPod', parts.log, lock(true)),
    command('runpod.unlockPod', parts.log, lock(false)),
    command('runpod.changePorts', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Change the ports of which pod?'));
      const given = choices(options)?.['ports'];
      const ports = Array.isArray(given) ? given.map(String) : await askPorts(pod);
      if (choices(options)?.['confirmed'] !== true) await confirmReset(pod, l10n.t('Change the ports of {0}?', pod.name), 'maybe');
      return applied(await patch(pod, { ports }), pod, parts);
    }),
    command('runpod.changeEnvironment', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Change the environment of which pod?'));
      const given = choices(options)?.['env'];
      const env = typeof given === 'object' && given !== null ? { ...ownVariables(pod), ...(given as Record<string, string>) } : await askEnvironment(pod);
      if (choices(options)?.['confirmed'] !== true) await confirmReset(pod, l10n.t('Change the environment of {0}?', pod.name), 'yes');
      return applied(await patch(pod, { env }), pod, parts);
    }),
  ];
}

/** The pod may have been given a new container; then it is waited for. */
function applied(now: Pod, before: Pod, parts: Parts): { readonly id: string } {
  if (before.status === 'RUNNING') void showUntilReady(parts, now.id, now.name, { quiet: now.status === 'RUNNING' });
  return { id: now.id };
}

/** What a new container erases, before it does. A pod that does not run loses nothing by it. */
async function confirmReset(pod: Pod, question: string, resets: 'yes' | 'maybe'): Promise<void> {
  if (pod.status !== 'RUNNING') return;
  if (pod.locked && resets === 'yes') throw new Error(l10n.t('{0} is locked, so RunPod refuses to reset it. Unlock it first.', pod.name));
  const kept = pod.mount ? l10n.t('{0} is kept; everything else on it, such as installed packages and /root, is erased.', pod.mount.path) : l10n.t('It has no volume: everything on it is erased.');
  const how = resets === 'yes' ? l10n.t('RunPod gives it a new container: what runs on it ends.') : l10n.t('RunPod may give it a new container for this: then what runs on it ends.');
  const verb = l10n.t('Change and Reset');
  await notice.confirm(question, `${how} ${kept}`, verb);
}

async function askPorts(pod: Pod): Promise<string[]> {
  const split = (t: string): string[] => t.split(/[\s,]+/).filter((p) => p !== '');
  const text = await ask.text({
    title: l10n.t('Ports of {0}', pod.name),
    prompt: l10n.t('For example 8888/http, 22/tcp. HTTP ports are public, without a login.'),
    value: pod.ports.join(', '),
    ignoreFocusOut: true,
    validateInput: (t) => {
      const wrong = split(t).find((p) => !PORT.test(p) || Number(p.split('/')[0]) > 65535);
      if (wrong !== undefined) return l10n.t('{0} is no port. Permitted: a number, then /http or /tcp.', wrong);
      return split(t).includes('22/tcp') ? undefined : { message: l10n.t('Without 22/tcp its folder can no longer be opened.'), severity: 2 };
    },
  });
  if (text === undefined) throw new CancelledError();
  return split(text);
}

/** Variables that this extension needs on its pods; they are kept, and not shown. */
const OURS: ReadonlySet<string> = new Set(['PUBLIC_KEY', CREATE_MARK, GUARD_VARIABLE, SPOT_MARK]);

const ownVariables = (pod: Pod): Record<string, string> => Object.fromEntries(Object.entries(pod.env).filter(([name]) => OURS.has(name)));

interface VariableItem extends QuickPickItem {
  readonly does: 'apply' | 'add' | 'edit';
  readonly name?: string;
}

async function askEnvironment(pod: Pod): Promise<Record<string, string>> {
  const env = { ...pod.env };
  for (;;) {
    const changed = JSON.stringify(env) !== JSON.stringify(pod.env);
    const items: VariableItem[] = [
      ...(changed ? [{ label: l10n.t('Apply'), iconPath: new ThemeIcon('check'), does: 'apply' as const }] : []),
      { label: l10n.t('Add a Variable…'), iconPath: new ThemeIcon('add'), does: 'add' },
      // Values may be secrets: names are enough to choose by.
      ...Object.keys(env).filter((n) => !OURS.has(n)).sort().map((name) => ({ label: name, description: l10n.t('{0} characters', env[name]?.length ?? 0), does: 'edit' as const, name })),
    ];
    const picked = await ask.oneOf(items, { title: l10n.t('Environment of {0}', pod.name), placeHolder: l10n.t('Choose a variable to change or remove it'), ignoreFocusOut: true });
    if (!picked) throw new CancelledError();
    if (picked.does === 'apply') return env;
    const name = picked.name ?? (await askName());
    if (name === undefined) continue;
    const value = await ask.text({ title: name, prompt: l10n.t('Its value; nothing to remove it. {0} stands for a secret of the account.', '{{ RUNPOD_SECRET_name }}'), value: env[name] ?? '', ignoreFocusOut: true });
    if (value === undefined) continue;
    if (value === '') delete env[name];
    else env[name] = value;
  }
}

const askName = (): Thenable<string | undefined> =>
  ask.text({ title: l10n.t('New Variable'), prompt: l10n.t('Its name'), ignoreFocusOut: true, validateInput: (t) => (!VARIABLE.test(t) ? l10n.t('Letters, digits and _, not beginning with a digit.') : OURS.has(t) ? l10n.t('This one is the extension’s own.') : undefined) });
