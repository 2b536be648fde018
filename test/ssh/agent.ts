import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import type { Scratch } from './support';

export interface Agent {
  readonly socket: string;
  add(file: string, passphrase?: string): Promise<void>;
}

/** A real ssh-agent, ended with the test. */
export async function startAgent(scratch: Scratch): Promise<Agent> {
  const dir = await scratch.dir();
  const socket = path.join(dir, 'agent');
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  scratch.onEnd(async () => {
    child.kill();
    await once(child, 'exit');
  });
  // It prints its environment when it listens.
  await once(child.stdout, 'data');
  return {
    socket,
    async add(file, passphrase = '') {
      const ask = path.join(dir, 'ask');
      await writeFile(ask, `#!/bin/sh\nprintf '%s\\n' "$PASSPHRASE"\n`, { mode: 0o700 });
      const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force', PASSPHRASE: passphrase };
      await promisify(execFile)('ssh-add', ['-q', file], { env });
    },
  };
}
