import { createHash, randomBytes } from 'node:crypto';
import type { Machine, MachineHost, MachineSpec } from './machine';

/**
 * Machines that exist on paper: the API and the log look as they should, nothing runs. For tests of the API alone,
 * which need neither root nor sshd.
 */
export class PaperHost implements MachineHost {
  readonly mode = 'full';

  async start(spec: MachineSpec, log: (source: 'container' | 'system', line: string) => void): Promise<Machine> {
    const print = (): void => {
      for (const line of startScript(spec)) log('container', line);
    };
    print();
    let restarts = 0;
    return {
      get restarts() {
        return restarts;
      },
      mountPath: spec.mountPath,
      connect: async () => {
        throw new Error('a pod on paper listens nowhere');
      },
      exec: () => {
        throw new Error('a pod on paper runs nothing');
      },
      restart: async () => {
        restarts++;
        print();
      },
      stop: async () => undefined,
    };
  }

  async dispose(): Promise<void> {}
}

/** The lines that RunPod's images print, with fingerprints nobody has a key for. */
function startScript(spec: MachineSpec): string[] {
  if (spec.image === 'no-sshd' || (spec.args !== '' && spec.image === 'official')) return [`+ ${spec.args || 'sleep infinity'}`];
  const keys = ['RSA', 'ECDSA', 'ED25519'].map((type) => ({
    type,
    bits: type === 'RSA' ? 3072 : 256,
    print: `SHA256:${createHash('sha256').update(randomBytes(32)).digest('base64').replace(/=+$/, '')}`,
  }));
  const fingerprints = spec.env['PUBLIC_KEY'] !== undefined && spec.env['PUBLIC_KEY'] !== '' && spec.image !== 'no-fingerprints';
  return [
    'Pod Started',
    ...(fingerprints
      ? [
          'Setting up SSH...',
          'SSH host keys:',
          ...keys.flatMap(({ type, bits, print }) => [
            `Key: /etc/ssh/ssh_host_${type.toLowerCase()}_key.pub`,
            `${bits} ${print} root@${spec.hostname} (${type})`,
          ]),
        ]
      : []),
    ...Array.from({ length: spec.chatterLines }, (_, i) => `chatter ${i + 1}`),
    'Exporting environment variables...',
    'Start script(s) finished, Pod is ready to use.',
  ];
}
