import type { PodPort } from '../../runpod/types';
import type { CommandId } from '../ids';

/** One row of the Pods view. Ids are stable, so that selection and expansion survive a refresh. */
export type PodsNode =
  | { readonly kind: 'account' }
  /** What can be done while RunPod does not answer. */
  | { readonly kind: 'remedy'; readonly title: string; readonly command: CommandId }
  | { readonly kind: 'pod'; readonly podId: string }
  /** Connected by hand. */
  | { readonly kind: 'machine'; readonly podId: string }
  | { readonly kind: 'unreadable'; readonly index: number; readonly podId: string | undefined }
  | { readonly kind: 'connection' | 'storage' | 'console' | 'terminal' | 'log'; readonly podId: string }
  | { readonly kind: 'run'; readonly podId: string; readonly runId: string }
  /** The list of all runs. */
  | { readonly kind: 'runs'; readonly podId: string }
  | { readonly kind: 'port'; readonly podId: string; readonly port: PodPort };

const KINDS: ReadonlySet<unknown> = new Set<PodsNode['kind']>(['account', 'remedy', 'pod', 'machine', 'unreadable', 'connection', 'storage', 'console', 'terminal', 'log', 'run', 'runs', 'port']);

/** Whether a command got a row of the view, which the icons of the view's title hand over as well: the one that has the focus. */
export const isRow = (arg: object): arg is PodsNode => 'kind' in arg && KINDS.has(arg.kind);

export function nodeId(node: PodsNode): string {
  switch (node.kind) {
    case 'account':
      return 'account';
    case 'remedy':
      return `remedy:${node.command}`;
    case 'unreadable':
      return `unreadable:${node.podId ?? node.index}`;
    case 'port':
      return `pod:${node.podId}:port:${node.port.private}/${node.port.type}`;
    case 'run':
      return `pod:${node.podId}:run:${node.runId}`;
    case 'pod':
      return `pod:${node.podId}`;
    default:
      return `pod:${node.podId}:${node.kind}`;
  }
}

/** Where RunPod serves an HTTP port of a pod: public, without a login, 100 s a request. */
export const proxyUrl = (podId: string, port: number): string => `https://${podId}-${port}.proxy.runpod.net`;

export const consoleUrl = (podId: string): string => `https://console.runpod.io/pods?id=${encodeURIComponent(podId)}`;
/** The web terminal is started from the pod's page; RunPod has no address that opens it by itself. */
export const webTerminalUrl = (podId: string): string => `${consoleUrl(podId)}&connect=true`;
