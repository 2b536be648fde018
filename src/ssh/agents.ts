import * as fs from 'node:fs';
import * as nodePath from 'node:path';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { withDeadline } from '../base/time';
import { fingerprintOf } from './hostKeys';
import type { Identity } from './identity';
import { isUsableType } from './keyFile';
import type { Ssh2Module } from './loadSsh2';

export interface AgentSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The person's OpenSSH configuration, which may name an agent for every host, as password managers have it. */
  readonly config?: { readonly text: string; readonly homeDir: string } | undefined;
  /** The names under `\\.\pipe\`; replaced in tests. */
  readonly listPipes?: (() => string[]) | undefined;
}

/** Where agents may listen, in the order in which they are asked. */
export function agentSockets({ env, platform, config, listPipes = windowsPipes }: AgentSearch): string[] {
  const sockets = [config && configuredAgent(config.text, config.homeDir, env), env['SSH_AUTH_SOCK']].flatMap((named) => (named === undefined || named === '' ? [] : [named]));
  if (platform === 'win32') {
    sockets.push('\\\\.\\pipe\\openssh-ssh-agent');
    // PuTTY's agent listens on a pipe whose name ends in a hash only it can compute, so it is looked for by its beginning.
    const user = env['USERNAME']?.toLowerCase();
    for (const name of listPipes()) if (isPageant(name, user)) sockets.push(`\\\\.\\pipe\\${name}`);
  }
  return [...new Set(sockets)];
}

/**
 * The `IdentityAgent` that an OpenSSH configuration gives every host: above all `Host` lines, or below `Host *`. Nothing for
 * `none`, which is about OpenSSH's own logins, and for `SSH_AUTH_SOCK`, which is asked anyway.
 */
export function configuredAgent(text: string, homeDir: string, env: AgentSearch['env']): string | undefined {
  let forAll = true;
  for (const line of text.split(/\r?\n/)) {
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    if (/^(host|match)$/i.test(word)) forAll = /^(\*|all)$/i.test(rest);
    if (!forAll || word.toLowerCase() !== 'identityagent') continue;
    const told = /^"(.*)"$/.exec(rest)?.[1] ?? rest;
    if (told === 'none' || told === 'SSH_AUTH_SOCK') return undefined;
    const variable = /^\$\{?(\w+)\}?$/.exec(told)?.[1];
    if (variable !== undefined) return env[variable];
    const path = told.replace(/^(~|%d)(?=[/\\]|$)/, () => homeDir);
    return nodePath.posix.isAbsolute(path) || nodePath.win32.isAbsolute(path) ? path : undefined;
  }
  return undefined;
}

const isPageant = (pipe: string, user: string | undefined): boolean => {
  const owner = /^pageant\.(.+)\.[0-9a-f]+$/i.exec(pipe)?.[1]?.toLowerCase();
  return owner !== undefined && (user === undefined || owner === user);
};

function windowsPipes(): string[] {
  try {
    return fs.readdirSync('\\\\.\\pipe\\');
  } catch {
    return [];
  }
}

/**
 * The keys an agent holds, as identities that let it sign. Keys of kinds we cannot use (hardware, certificates) are left out.
 * @throws when nothing listens there, or it does not answer within `deadlineMs`.
 */
export async function agentIdentities(ssh2: Ssh2Module, socket: string, deadlineMs: number): Promise<Identity[]> {
  const agent = ssh2.createAgent(socket);
  const keys = await withDeadline(listKeys(agent), deadlineMs, 'The SSH agent');
  return keys
    .filter((key) => isUsableType(key.type))
    .map((key) => {
      const publicBlob = key.getPublicSSH();
      return {
        source: 'agent',
        label: key.comment === '' ? key.type : key.comment,
        type: key.type,
        publicBlob,
        fingerprint: fingerprintOf(publicBlob),
        sign: (data, hash) => agentSignature(agent, key, data, hash),
      };
    });
}

function listKeys(agent: BaseAgent): Promise<ParsedKey[]> {
  return new Promise((resolve, reject) => {
    agent.getIdentities((error, keys) => {
      if (error != null) reject(error);
      // ssh2's own agents hand out parsed keys; others could hand out texts, which we never ask for.
      else resolve((keys ?? []).filter((key): key is ParsedKey => typeof key === 'object' && 'getPublicSSH' in key));
    });
  });
}

function agentSignature(agent: BaseAgent, key: ParsedKey, data: Buffer, hash: 'sha256' | 'sha512' | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    agent.sign(key, data, hash === undefined ? {} : { hash }, (error, signature) => {
      if (error != null || signature === undefined) reject(error ?? new Error('The SSH agent gave no signature'));
      else resolve(signature);
    });
  });
}
