import { l10n, type Disposable } from 'vscode';
import { PodUnavailableError } from '../../pods/contracts';
import type { PinSubject } from '../../ssh/pins';
import type { Parts } from '../parts';
import { notice } from '../prompts/notice';
import { command, run, targetId, Targets } from './command';

/**
 * Meets a pod's server anew, with its log and the pod read again. Where its host key is still another than expected, a person
 * is asked, once, with both fingerprints; their word holds for this start of the pod (RunPod's proxy: until its key changes).
 */
export function registerHostKey(parts: Parts): Disposable {
  const targets = new Targets(parts.store, parts.activePod);
  return command('runpod.checkHostKey', parts.log, async (target) => {
    const id = targetId(target) ?? (await targets.pod(undefined, l10n.t('Check the host key of which pod?'))).id;
    const refused = await meet(parts, id);
    const name = refused?.pod?.name ?? parts.store.state.pods.find((pod) => pod.id === id)?.name ?? id;
    if (refused) {
      const { fingerprint } = refused.facts;
      if (fingerprint === undefined || !(await trusts(name, refused))) return false;
      await parts.reach.pins.approve(subjectOf(refused), fingerprint);
      parts.log.info(`The host key ${fingerprint} of pod ${id} was approved by hand`);
      const again = await meet(parts, id);
      if (again) throw again;
    }
    void notice.inform(l10n.t('The host key of {0} is in order.', name));
    return true;
  });
}

/** @returns why the server's key was refused; undefined when it was not. @throws what else keeps the pod out of reach */
async function meet(parts: Parts, id: string): Promise<PodUnavailableError | undefined> {
  const session = parts.sessions.get(id);
  try {
    await session.reconnect().catch(async (error: unknown) => {
      if (!(error instanceof PodUnavailableError) || error.code !== 'proxy-only') throw error;
      (await session.proxyShell({ cols: 80, rows: 24 })).close();
    });
    return undefined;
  } catch (error) {
    if (error instanceof PodUnavailableError && error.code === 'host-key' && error.facts.fingerprint !== undefined) return error;
    throw error;
  }
}

/** RunPod's proxy is known by its name, a pod by its start. */
function subjectOf({ podId, pod, facts }: PodUnavailableError): PinSubject {
  return isProxy(pod, facts) ? { host: facts.host ?? '' } : { podId, startedAt: pod?.startedAt?.toISOString() };
}

const isProxy = (pod: PodUnavailableError['pod'], facts: PodUnavailableError['facts']): boolean => facts.host !== undefined && facts.host === pod?.ssh.proxy?.host;

async function trusts(name: string, { podId, pod, facts }: PodUnavailableError): Promise<boolean> {
  const { host = '', port = 22, fingerprint = '', expected = [], expectedFrom } = facts;
  const right = expected.join(', ');
  const detail = [
    l10n.t('{0}:{1} shows {2}.', host, port, fingerprint),
    expectedFrom === 'log' ? l10n.t('The pod’s log names {0}.', right) : l10n.t('Before it was {0}.', right),
    isProxy(pod, facts)
      ? l10n.t('RunPod may have changed the key of its SSH proxy; or another machine answers in its place.')
      : l10n.t('A container that was started again in place has a new key; so has another machine that answers at its address. Compare with what the log says under “SSH host keys”, or in RunPod’s web terminal with: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'),
    isProxy(pod, facts) ? l10n.t('Your word holds until the key changes again.') : l10n.t('Your word holds for this start of the pod.'),
  ].join('\n\n');
  const trust = l10n.t('Trust This Key');
  const log = l10n.t('Show Log');
  const answer = await notice.ask(l10n.t('Is this the host key of {0}?', name), detail, trust, log);
  if (answer === log) await run('runpod.showPodLog', { podId });
  return answer === trust;
}
