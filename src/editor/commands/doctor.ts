import { l10n, ProgressLocation, window, type Disposable, type OutputChannel } from 'vscode';
import { diagnose, type DoctorStep } from '../../pods/doctor';
import { ensureOwnKey } from '../../ssh/keys';
import { findingWords, hintWords, stepName } from '../doctorWords';
import type { Parts } from '../parts';
import { command, run, Targets, targetId } from './command';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

const MARKS: Readonly<Record<DoctorStep['outcome'], string>> = { ok: '✓', warning: '!', failed: '✗', 'not-reached': '·' };

/** Checks everything between this person and a pod, shows each finding as it comes, and offers the one next step. */
export function registerDoctor(parts: Parts): Disposable {
  const targets = new Targets(parts.store);
  let channel: OutputChannel | undefined;
  const registered = command('runpod.doctor', parts.log, async (target) => {
    // Without pods, or without a key, there is still an account to look at.
    const pod = targetId(target) === undefined && parts.store.state.pods.length === 0 ? undefined : await targets.pod(target, l10n.t('Check the connection to which pod?'));
    channel ??= window.createOutputChannel('RunPod Doctor');
    const out = channel;
    out.clear();
    out.show(true);
    out.appendLine(pod ? l10n.t('{0} ({1})', pod.name, pod.id) : l10n.t('RunPod account'));
    const steps = await withProgress({ location: ProgressLocation.Window, title: l10n.t('RunPod Doctor…'), cancellable: false }, () => examine(parts, pod?.id, out));
    void conclude(steps, pod, out);
    return steps;
  });
  return { dispose: () => (registered.dispose(), channel?.dispose()) };
}

async function examine(parts: Parts, podId: string | undefined, out: OutputChannel): Promise<DoctorStep[]> {
  parts.identities.askAgain();
  const client = await parts.api.client();
  const steps: DoctorStep[] = [];
  const looks = diagnose(
    {
      ...parts.reach,
      checkApiKey: (signal) => client.pods.list({ signal }),
      readAccount: (signal) => client.account({ signal }),
      accountKeys: (signal) => client.sshKeys.read({ signal }),
      ownKey: () => ensureOwnKey(parts.identities.ownKeyDir),
    },
    podId,
  );
  for await (const step of looks) {
    steps.push(step);
    out.appendLine(`${MARKS[step.outcome]} ${stepName(step.id).padEnd(14)} ${findingWords(step)}`);
    if (step.hint && step.outcome !== 'ok') out.appendLine(`  ${' '.repeat(14)} → ${hintWords(step.hint).text}`);
  }
  return steps;
}

async function conclude(steps: readonly DoctorStep[], pod: { id: string; name: string } | undefined, out: OutputChannel): Promise<void> {
  const name = pod?.name ?? l10n.t('The account');
  const broken = steps.find((s) => s.outcome === 'failed');
  if (!broken) {
    const worth = steps.some((s) => s.outcome === 'warning') ? ` ${l10n.t('One thing is worth a look in the report.')}` : '';
    out.appendLine('');
    out.appendLine(l10n.t('Everything that is needed works.') + worth);
    notice.brief(l10n.t('{0}: everything that is needed works.', name), 8000, 'check');
    return;
  }
  const hint = broken.hint && hintWords(broken.hint);
  const action = hint?.action;
  const message = l10n.t('{0}: {1} fails: {2}.', name, stepName(broken.id), findingWords(broken)) + (hint ? ` ${hint.text}` : '');
  const answer = await notice.warn(message, ...(action ? [action.title] : []));
  if (action && answer === action.title) await run(action.command, ...(pod ? [{ podId: pod.id }] : []));
}
