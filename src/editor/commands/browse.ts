import { commands, env, l10n, Uri, type Disposable } from 'vscode';
import { PodUnavailableError } from '../../pods/contracts';
import type { Parts } from '../parts';
import { consoleUrl, proxyUrl, webTerminalUrl } from '../podsView/nodes';
import { command, targetId, Targets } from './command';
import { notice } from '../prompts/notice';

/** Commands that show something of a pod elsewhere: its log, its pages, its addresses. */
export function registerBrowse(parts: Parts): Disposable[] {
  const targets = new Targets(parts.store, parts.activePod);
  return [
    command('runpod.showPodLog', parts.log, async (target) => {
      const pod = await targets.forUse(target, l10n.t('Show the log of which pod?'));
      parts.podLogs.show(pod.id, pod.name);
    }),
    command('runpod.openPodInConsole', parts.log, async (target) => {
      // A pod we cannot read has a page all the same; that is where to look at it.
      const id = targetId(target);
      await env.openExternal(Uri.parse(id === undefined ? 'https://console.runpod.io/pods' : consoleUrl(id), true));
    }),
    command('runpod.openWebTerminal', parts.log, async (target) => {
      const pod = await targets.pod(target, l10n.t('Open the web terminal of which pod?'), (p) => p.status === 'RUNNING');
      await env.openExternal(Uri.parse(webTerminalUrl(pod.id), true));
    }),
    command('runpod.openPort', parts.log, async (target, privatePort) => {
      const pod = await targets.pod(target, l10n.t('Open a port of which pod?'));
      const port = typeof privatePort === 'number' ? privatePort : portOf(target);
      const http = pod.ports.includes(`${port}/http`);
      if (port === undefined) return undefined;
      if (http) {
        const url = proxyUrl(pod.id, port);
        await env.openExternal(Uri.parse(url, true));
        return { url };
      }
      const live = pod.runtime?.ports.find((p) => p.private === port && p.type === 'tcp');
      if (live?.public === undefined || live.ip === undefined) throw new PodUnavailableError('starting', pod.id, pod);
      const address = `${live.ip}:${live.public}`;
      await env.clipboard.writeText(address);
      notice.brief(l10n.t('Copied {0}', address), 3000);
      return { address };
    }),
    command('runpod.copyPodId', parts.log, async (target) => {
      const pod = await targets.pod(target, l10n.t('Copy the id of which pod?'));
      await env.clipboard.writeText(pod.id);
      return pod.id;
    }),
    command('runpod.copySshCommand', parts.log, async (target) => {
      const pod = await targets.forUse(target, l10n.t('Copy the SSH command of which pod?'), (p) => p.status === 'RUNNING');
      const endpoint = pod.ssh.direct ?? pod.ssh.proxy;
      if (!endpoint) throw new PodUnavailableError(pod.status === 'RUNNING' ? 'no-ssh' : 'starting', pod.id, pod);
      const text = sshCommand(endpoint, await parts.identities.ownPrivateKeyPath());
      await env.clipboard.writeText(text);
      notice.brief(l10n.t('Copied the SSH command of {0}. It changes at every start.', pod.name), 5000);
      return text;
    }),
    command('runpod.showPods', parts.log, () => commands.executeCommand('runpod.pods.focus')),
    command('runpod.showLog', parts.log, () => parts.log.show()),
    command('runpod.refreshPods', parts.log, async () => {
      await parts.store.refresh();
      return parts.store.state.pods.map(({ id, name, status, costPerHour }) => ({ id, name, status, costPerHour }));
    }),
    command('runpod.setActivePod', parts.log, async (target) => {
      const pod = await targets.pod(target, l10n.t('Which pod should this window use?'));
      await parts.activePod.set(pod.id);
      return pod.id;
    }),
  ];
}

/** Composed here from the address alone: what a server calls its command is not put into anyone's shell. */
function sshCommand(endpoint: { host: string; port: number; username: string }, keyPath: string): string {
  const key = /^[\w@%+=:,./\\-]+$/.test(keyPath) ? keyPath : `"${keyPath}"`;
  const safe = (text: string): string => text.replace(/[^\w.:@-]/g, '');
  return `ssh ${safe(endpoint.username)}@${safe(endpoint.host)} -p ${endpoint.port} -i ${key}`;
}

const portOf = (target: unknown): number | undefined =>
  typeof target === 'object' && target !== null && 'port' in target ? (target.port as { private?: number }).private : undefined;
