import { gzipSync } from 'node:zlib';
import { quote } from '../../base/shell';
import type { CreatePodRequest, Pod, Template } from '../../runpod/types';
import { COMPACT_GUARD_SCRIPT } from './script';
import { GUARD_VARIABLE, wishWords, type GuardWish } from './wish';

/** Where the guard asks; what it is made with is what the editor itself uses. */
export interface GuardUrls {
  readonly rest: string;
  readonly graphql: string;
}

export const DEFAULT_URLS: GuardUrls = { rest: 'https://api.runpod.io/v2', graphql: 'https://api.runpod.io/graphql' };

/** What both ways of starting the guard tell it of its world. */
export const urlWords = (urls: GuardUrls): string[] => [
  ...(urls.rest === DEFAULT_URLS.rest ? [] : [`api=${urls.rest.replace(/\/+$/, '')}`]),
  ...(urls.graphql === DEFAULT_URLS.graphql ? [] : [`graphql=${urls.graphql}`]),
];

/** Images whose command is `/start.sh` and that have no entry point to swallow another one. */
const KNOWN_TO_OBEY = /^(?:docker\.io\/)?runpod\/(?:base|pytorch):[\w.-]+$/;

/**
 * A start command that puts the guard beside the image's own `/start.sh`. Whatever becomes of the guard, that one runs. It
 * holds nothing that a shell, or what takes the line apart, could read in two ways.
 */
export function guardedArgs(wish: GuardWish, mountPath: string | undefined, urls: GuardUrls): string {
  const packed = gzipSync(COMPACT_GUARD_SCRIPT, { level: 9 }).toString('base64');
  const words = ['by=args', 'fresh=1', ...wishWords(wish), ...(mountPath === undefined ? [] : [`mount=${mountPath}`]), ...urlWords(urls)];
  const inner = `umask 022; g=/tmp/.runpod-workspaces/guard.sh; mkdir -p /tmp/.runpod-workspaces; echo ${packed} | base64 -d | gzip -dc >$g; sh $g arm ${words.join(' ')}; exec /start.sh`;
  return `sh -c ${quote(inner)}`;
}

/** Paths and addresses that can stand in that command as they are. */
const PLAIN = /^[A-Za-z0-9_/:.,@%+-]+$/;

/**
 * The create request with the limits: the wish in a variable, and the guard in the start command where that is known to work
 * (RunPod's base and pytorch images, no start command in template or request).
 * @param template the one that the request names
 */
export function withGuard(request: CreatePodRequest, wish: GuardWish, urls: GuardUrls, template?: Template): { readonly request: CreatePodRequest; readonly inArgs: boolean } {
  const marked: CreatePodRequest = { ...request, env: { ...request.env, [GUARD_VARIABLE]: wishWords(wish).join(' ') } };
  const image = request.image ?? template?.image ?? '';
  const own = request.args ?? template?.args ?? '';
  const mountPath = request.mounts?.persistent?.path ?? request.mounts?.network?.[0]?.path ?? (request.cpu ? undefined : template?.mount?.path);
  const known = KNOWN_TO_OBEY.test(image) && own.trim() === '' && request.cmd === undefined && request.entrypoint === undefined && (request.templateId === undefined || template !== undefined);
  const plain = [mountPath ?? '/', urls.rest, urls.graphql].every((text) => PLAIN.test(text));
  if (!known || !plain) return { request: marked, inArgs: false };
  return { request: { ...marked, args: guardedArgs(wish, mountPath, urls) }, inArgs: true };
}

/** What `guardedArgs` puts before the image's own start script. */
const OWN_PART = /umask 022; g=\/tmp\/\.runpod-workspaces\/guard\.sh; mkdir -p .*? sh \$g arm by=args [^;']*; /s;

/**
 * The start command without the guard that a create of ours put there: it is made for one pod and its limits. Nothing is left
 * where the guard was all there was beside the image's own.
 */
export function withoutGuard({ args, cmd, entrypoint }: Pick<Pod, 'args' | 'cmd' | 'entrypoint'>): Pick<CreatePodRequest, 'args' | 'cmd' | 'entrypoint'> {
  const bare = (line: string): string => line.replace(OWN_PART, '');
  const own = /^(?:sh -c )?'?exec \/start\.sh'?$/;
  // In the exec form where the pod has that: `args` then holds the same as JSON.
  if (cmd || entrypoint) {
    const words = cmd?.map(bare);
    const nothing = words !== undefined && JSON.stringify(words) !== JSON.stringify(cmd) && own.test(words.at(-1) ?? '');
    return { ...(words && !nothing ? { cmd: words } : {}), ...(entrypoint ? { entrypoint } : {}) };
  }
  const line = bare(args);
  return line === '' || (line !== args && own.test(line)) ? {} : { args: line };
}

/** The part of a start command of ours that a person can read; `undefined` for any other command. */
export function guardInArgs(pod: Pick<Pod, 'args'>): string | undefined {
  return /\/\.runpod-workspaces\/guard\.sh.*? sh \$g arm (by=args [^;]*);/s.exec(pod.args)?.[1];
}
