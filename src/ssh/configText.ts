/** One pod as OpenSSH is told of it. */
export interface ConfigHost {
  readonly podId: string;
  /** What a person types: `ssh runpod-llama-ft`. */
  readonly alias: string;
  /** A name for the pod's start that address and key belong to. */
  readonly start: string;
  /** Where its sshd answers, once the key there has been checked; else why there is nowhere to go. */
  readonly at: { readonly host: string; readonly port: number; readonly username: string } | 'stopped' | 'unchecked';
  /** Private keys that the pod takes; public halves of keys that an agent holds do as well. Absolute paths. */
  readonly identityFiles: readonly string[];
  /** Whether `identityFiles` are certainly taken, so that nothing else need be offered. */
  readonly identitiesOnly: boolean;
}

/** The name under which a pod's host key stands in our `known_hosts`; addresses change, the pod does not. */
export const hostKeyAlias = (podId: string): string => `runpod-${podId}`;

const heading = [
  '# Pods of RunPod Workspaces, as they can be reached now. Written again at every start of a pod:',
  '# what is changed here by hand is lost. Settings of your own for “Host runpod-*” go below the Include in ~/.ssh/config.',
];

/** Words that ssh prints when it is asked to go nowhere: names below `.invalid` never resolve (RFC 6761). */
const nowhere = { stopped: 'this-pod-is-stopped.invalid', unchecked: 'this-pod-s-host-key-is-not-checked-yet.invalid' } as const;

const ofWindows = (path: string): boolean => /^([A-Za-z]:)?\\/.test(path);

/** A path as one argument of `ssh_config`: `%` begins a token, a backslash escapes. Forward slashes do on Windows too. */
export const configPath = (path: string): string => `"${(ofWindows(path) ? path.replaceAll('\\', '/') : path.replace(/[\\"]/g, '\\$&')).replaceAll('%', '%%')}"`;
const pathIn = (text: string): string => text.replaceAll('%%', '%').replace(/\\([\\"])/g, '$1');

/** Whether a pod's id can stand in a host name. */
export const canHaveAlias = (podId: string): boolean => /^[\w.-]+$/.test(podId);

/** One word, without a character that means something in that file or its comments. */
const word = /^[A-Za-z0-9[][A-Za-z0-9._:%@+[\]-]*$/;

/** Whether all of it can be written so that OpenSSH reads nothing else out of it: a line more could be a command to run. */
const fits = ({ podId, alias, start, at }: ConfigHost): boolean =>
  canHaveAlias(podId) && [alias, start, ...(typeof at === 'string' ? [] : [at.host, at.username])].every((text) => word.test(text)) && (typeof at === 'string' || Number.isInteger(at.port));
const fitsPath = (path: string): boolean => !/[\u0000-\u001f\u007f]/.test(path);

function blockOf(host: ConfigHost, owner: string, knownHosts: string): string {
  const { podId, alias, start, at, identityFiles, identitiesOnly } = host;
  const lines = [
    `# pod ${podId} of ${owner} start ${start}`,
    `Host ${[...new Set([alias, hostKeyAlias(podId)])].join(' ')}`,
    ...(typeof at === 'string' ? [`  HostName ${nowhere[at]}`] : [`  HostName ${at.host.replace(/^\[(.*)\]$/, '$1').replaceAll('%', '%%')}`, `  Port ${at.port}`, `  User ${at.username}`]),
    ...identityFiles.filter(fitsPath).map((file) => `  IdentityFile ${configPath(file)}`),
    ...(identitiesOnly ? ['  IdentitiesOnly yes'] : []),
    `  HostKeyAlias ${hostKeyAlias(podId)}`,
    `  UserKnownHostsFile ${configPath(knownHosts)}`,
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    '  CheckHostIP no',
    '  ServerAliveInterval 15',
    `# end ${podId}`,
  ];
  return lines.join('\n');
}

interface Block {
  readonly podId: string;
  readonly owner: string;
  readonly text: string;
}

function blocksIn(text: string): Block[] {
  return [...text.matchAll(/^# pod (\S+) of (\S+) start .*$[^]*?^# end \1$/gm)].map(([all, podId = '', owner = '']) => ({ podId, owner, text: all }));
}

/** The hosts that `owner` has written. What cannot be read is left out, and written anew. */
export function readHosts(text: string, owner: string): ConfigHost[] {
  return blocksIn(text).flatMap((block): ConfigHost[] => {
    if (block.owner !== owner) return [];
    const one = (pattern: RegExp): string | undefined => pattern.exec(block.text)?.[1];
    const start = one(/^# pod \S+ of \S+ start (\S+)$/m);
    const alias = one(/^Host (\S+)/m);
    const host = one(/^ {2}HostName (\S+)$/m)?.replaceAll('%%', '%');
    if (start === undefined || alias === undefined || host === undefined) return [];
    const port = one(/^ {2}Port (\d+)$/m);
    const username = one(/^ {2}User (\S+)$/m);
    const at = port === undefined || username === undefined ? (host === nowhere.stopped ? 'stopped' : 'unchecked') : { host, port: Number(port), username };
    const identityFiles = [...block.text.matchAll(/^ {2}IdentityFile "(.*)"$/gm)].map(([, file = '']) => pathIn(file));
    return [{ podId: block.podId, alias, start, at, identityFiles, identitiesOnly: /^ {2}IdentitiesOnly yes$/m.test(block.text) }];
  });
}

/** The pods that others than `owner` have written. Another editor on this computer keeps its own, with its own keys. */
export const podsOfOthers = (text: string, owner: string): Set<string> => new Set(blocksIn(text).flatMap((block) => (block.owner === owner ? [] : [block.podId])));

/** The file with the hosts of `owner` in place of its earlier ones, and first: of an option told twice OpenSSH takes the first. Odd ones are left out. */
export function writeHosts(text: string, owner: string, hosts: readonly ConfigHost[], knownHosts: string): string {
  const mine = hosts.filter(fits).map((host) => blockOf(host, owner, knownHosts));
  const others = blocksIn(text).flatMap((block) => (block.owner === owner ? [] : [block.text]));
  return `${[heading.join('\n'), ...mine, ...others].join('\n\n')}\n`;
}

/** `known_hosts` with the keys of these pods in place of what it had for them; pods without a key lose theirs. */
export function writeKnownHosts(text: string, keys: ReadonlyMap<string, string | undefined>): string {
  const kept = text.split('\n').filter((line) => line !== '' && ![...keys.keys()].some((podId) => line.startsWith(`${hostKeyAlias(podId)} `)));
  const lines = [...kept, ...[...keys.values()].filter((line) => line !== undefined)];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** A pod's name as part of a host name: lower case, because editors put it into an address. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 60)
    .replace(/[-.]+$/, '');

/**
 * An alias for every pod: its name, and its id besides where two pods have one name, or the id alone. Who has an alias keeps it
 * for as long as its name stays. The alias of a pod's id is that pod's, whatever another is called.
 */
export function aliasesFor(pods: readonly { readonly id: string; readonly name: string }[], before: ReadonlyMap<string, string>): Map<string, string> {
  const byName = ({ id, name }: { id: string; name: string }): string[] => {
    const slug = slugOf(name);
    return slug === '' ? [] : [`runpod-${slug}`, `runpod-${slug}-${id.toLowerCase()}`];
  };
  const out = new Map<string, string>();
  const taken = new Map(pods.map(({ id }) => [hostKeyAlias(id).toLowerCase(), id]));
  const give = (id: string, alias: string): void => {
    out.set(id, alias);
    taken.set(alias, id);
  };
  const isFree = (alias: string, id: string): boolean => (taken.get(alias) ?? id) === id;
  for (const pod of pods) {
    const had = before.get(pod.id);
    if (had !== undefined && byName(pod).includes(had) && isFree(had, pod.id)) give(pod.id, had);
  }
  for (const pod of [...pods].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (!out.has(pod.id)) give(pod.id, byName(pod).find((alias) => isFree(alias, pod.id)) ?? hostKeyAlias(pod.id).toLowerCase());
  }
  return out;
}
