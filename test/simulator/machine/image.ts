import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { makeKeyPair } from '../../support/sshd';
import type { ImageKind, MachineSpec } from '../machine';

/** How a pod's `root` is known to the kernel. */
export interface PodUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where the simulator's own tools lie on the pod; not on its PATH. */
export const podTools = '/usr/libexec/pod';

const gpuMemoryMib: readonly [RegExp, number][] = [
  [/B200/, 183_359],
  [/H200|MI300/, 143_771],
  [/H100|A100.*80|A100-SXM/, 81_559],
  [/6000|A40|L40/, 46_068],
  [/5090/, 32_607],
  [/4090|3090|A5000|L4\b/, 24_564],
  [/A4000|4080/, 16_376],
];

/**
 * Writes what an image brings beside the machine's own programs, in the layout that `namespace/hold.sh` copies:
 * `layer/<dir>` lies over the machine's directory, `top` is the container's root, `own` is bound where it belongs.
 */
export async function writeImage(seed: string, spec: MachineSpec, user: PodUser, tools: { readonly df: string; readonly own: readonly string[] }): Promise<void> {
  const busybox = spec.image === 'busybox';
  const usr = path.join(seed, busybox ? 'top/usr' : 'layer/usr');
  const etc = path.join(seed, 'layer/etc');
  const ssh = path.join(seed, 'own/ssh');
  const root = path.join(seed, 'top/root');
  const top = path.join(seed, 'top');
  const inTools = path.join(seed, busybox ? 'top' : 'layer', podTools);
  await Promise.all([mkdir(path.join(inTools, 'host-keys'), { recursive: true }), ...[`${usr}/bin`, `${usr}/sbin`, `${usr}/local/bin`, etc, ssh, root].map((dir) => mkdir(dir, { recursive: true }))]);
  const program = async (file: string, name: string): Promise<void> => {
    await writeFile(file, fill(await readFile(path.join(__dirname, 'image', name), 'utf8'), spec, busybox));
    await chmod(file, 0o755);
  };
  const plain: Record<string, string> = {
    [`${etc}/hostname`]: `${spec.hostname}\n`,
    [`${etc}/hosts`]: `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\t${spec.hostname}\n`,
    [`${etc}/resolv.conf`]: '',
    [`${etc}/environment`]: '',
    [`${etc}/motd`]: '',
    [`${etc}/passwd`]: accounts(user, busybox ? '/bin/sh' : '/bin/bash'),
    [`${etc}/group`]: user.uid === 0 ? 'root:x:0:\ntty:x:5:\nmail:x:8:\nshadow:x:42:\nutmp:x:43:\nnogroup:x:65534:\n' : `root:x:${user.gid}:\nnogroup:x:65534:\n`,
    [`${etc}/shadow`]: 'root:*:20000:0:99999:7:::\nsshd:!:20000::::::\n',
    [`${etc}/profile`]: profile,
    [`${etc}/bash.bashrc`]: "[ -z \"$PS1\" ] && return\nPS1='\\u@\\h:\\w\\$ '\n",
    [`${ssh}/sshd_config`]: sshdConfig(busybox),
    [`${ssh}/ssh_config`]: 'Host *\n    SendEnv LANG LC_*\n',
  };
  if (!busybox) {
    plain[`${root}/.profile`] = 'if [ "$BASH" ]; then\n  if [ -f ~/.bashrc ]; then\n    . ~/.bashrc\n  fi\nfi\n\nmesg n 2> /dev/null || true\n';
    // A shell without a prompt reads no further: so the environment that start.sh adds below never reaches a command by ssh.
    plain[`${root}/.bashrc`] = '[ -z "$PS1" ] && return\n\nHISTCONTROL=ignoredups:ignorespace\nshopt -s checkwinsize\n';
  }
  await Promise.all([
    ...Object.entries(plain).map(([file, text]) => writeFile(file, text)),
    program(`${top}/start.sh`, 'start.sh'),
    program(`${usr}/sbin/service`, 'service'),
    ...(spec.gpuName === '' ? [] : [program(`${usr}/bin/nvidia-smi`, 'nvidia-smi')]),
    ...(spec.networkVolume && spec.mountPath !== undefined ? [program(`${usr}/bin/df`, 'df')] : []),
    ...(spec.image === 'entrypoint' ? [program(`${top}/entrypoint.sh`, 'entrypoint.sh')] : []),
    ...(spec.image === 'no-sshd' ? [program(`${top}/app.sh`, 'app.sh')] : hostKeys(`${inTools}/host-keys`, spec.hostname)),
    ...[...tools.own, ...(busybox ? [] : [tools.df])].map((file) => copyFile(file, path.join(inTools, path.basename(file)), constants.COPYFILE_FICLONE)),
  ]);
}

/** What PID 1 runs: the image's program, the stored start command in its place, or both where an entry point takes the latter. */
export function commandOf(image: ImageKind, args: readonly string[]): readonly string[] {
  if (image === 'entrypoint') return ['/entrypoint.sh', ...args];
  if (args.length > 0) return args;
  return image === 'no-sshd' ? ['/app.sh'] : ['/start.sh'];
}

/** The environment of PID 1: the pod's, and what a container runtime adds. */
export const environmentOf = (spec: MachineSpec): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOSTNAME: spec.hostname,
  HOME: '/root',
  ...spec.env,
});

function hostKeys(dir: string, hostname: string): Promise<unknown>[] {
  return (['rsa', 'ecdsa', 'ed25519'] as const).map(async (type) => {
    await mkdir(dir, { recursive: true });
    await makeKeyPair(path.join(dir, type), { type, comment: `root@${hostname}` });
  });
}

function fill(text: string, spec: MachineSpec, busybox: boolean): string {
  const values: Record<string, string> = {
    SHELL: busybox ? '/bin/sh' : '/bin/bash',
    FINGERPRINTS: spec.image === 'no-fingerprints' ? '' : 'yes',
    CHATTER: String(spec.chatterLines),
    SSH_DELAY: String(spec.sshDelayMs / 1000),
    GPU_COUNT: String(spec.gpuCount),
    GPU_NAME: spec.gpuName.replaceAll("'", ''),
    GPU_MEMORY_MIB: String(gpuMemoryMib.find(([name]) => name.test(spec.gpuName))?.[1] ?? 24_564),
    MOUNT_PATH: spec.mountPath ?? '',
    REAL_DF: busybox ? '/bin/busybox df' : `${podTools}/df`,
  };
  return text.replace(/@([A-Z_]+)@/g, (token, name: string) => values[name] ?? token);
}

const accounts = (user: PodUser, shell: string): string =>
  [
    `root:x:${user.uid}:${user.gid}:root:/root:${shell}`,
    'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    '',
  ].join('\n');

const profile = `if [ "$(id -u)" -eq 0 ]; then
  PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
fi
export PATH
if [ "$PS1" ] && [ "$BASH" ] && [ -f /etc/bash.bashrc ]; then
  . /etc/bash.bashrc
fi
`;

/** Ubuntu's, with PAM off: there is nothing for it in a container. */
const sshdConfig = (busybox: boolean): string => `KbdInteractiveAuthentication no
UsePAM no
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp ${!busybox && existsSync('/usr/lib/openssh/sftp-server') ? '/usr/lib/openssh/sftp-server' : 'internal-sftp'}
`;
