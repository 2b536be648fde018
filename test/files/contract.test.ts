import { contractOf } from './contract';
import { startPod } from './pod';

contractOf({ title: 'with a shell', shell: true, wholeMachine: true, start: () => startPod() });
contractOf({ title: 'SFTP only', shell: false, wholeMachine: true, start: () => startPod({ sshd: { extraConfig: 'ForceCommand internal-sftp' } }) });
