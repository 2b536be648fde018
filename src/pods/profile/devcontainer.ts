import { parse, type ParseError } from 'jsonc-parser';
import type { Profile } from './schema';

/** Where a folder keeps it, in the order of precedence. */
export const DEVCONTAINER_FILES = ['.devcontainer/devcontainer.json', '.devcontainer.json'] as const;

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What a `devcontainer.json` says that a pod can use: image, `containerEnv`, `forwardPorts` and `postCreateCommand`. What it
 * builds itself (a Dockerfile, features) a pod cannot. Empty for a file that cannot be read.
 */
export function profileFromDevcontainer(text: string): Profile {
  const errors: ParseError[] = [];
  const file: unknown = parse(text, errors, { allowTrailingComma: true });
  if (!isFields(file) || errors.length > 0) return {};
  const { image, containerEnv, forwardPorts, postCreateCommand } = file;
  const env = isFields(containerEnv) ? Object.entries(containerEnv).flatMap(([name, value]) => (typeof value === 'string' && /^[A-Za-z_]\w*$/.test(name) ? [[name, ourVariables(value)] as const] : [])) : [];
  const ports = Array.isArray(forwardPorts) ? forwardPorts.flatMap(portOf) : [];
  const command = commandOf(postCreateCommand);
  return {
    ...(typeof image === 'string' && image !== '' ? { image } : {}),
    ...(env.length > 0 ? { env: Object.fromEntries(env) } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(command === undefined ? {} : { setup: command }),
  };
}

/** The profile with what it leaves open filled in from a `devcontainer.json`. */
export function withDefaults(profile: Profile, defaults: Profile): Profile {
  const { image, env, ...rest } = defaults;
  return {
    ...rest,
    ...(image !== undefined && profile.templateId === undefined ? { image } : {}),
    ...profile,
    ...(env || profile.env ? { env: { ...env, ...profile.env } } : {}),
  };
}

/** `${localEnv:NAME}` and `${localEnv:NAME:otherwise}` in the words of a profile. */
const ourVariables = (value: string): string => value.replace(/\$\{localEnv:([^}:]+)(?::([^}]*))?\}/g, (_, name: string, otherwise: string | undefined) => (otherwise === undefined ? `\${env:${name}}` : `\${env:${name}:${otherwise}}`));

/** `3000` or `"localhost:3000"`; a port of another container means nothing on a pod. */
function portOf(value: unknown): string[] {
  const match = /^(?:(?:localhost|127\.0\.0\.1):)?(\d{1,5})$/.exec(String(value));
  return match ? [`${match[1]}/http`] : [];
}

/** A line for a shell, a program with arguments, or several of either by name. */
function commandOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() || undefined;
  if (Array.isArray(value)) return value.map((word) => quoteWord(String(word))).join(' ') || undefined;
  if (!isFields(value)) return undefined;
  const lines = Object.values(value).flatMap((v) => commandOf(v) ?? []);
  return lines.length > 0 ? lines.join(' && ') : undefined;
}

const quoteWord = (word: string): string => (/^[\w/:=.,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
