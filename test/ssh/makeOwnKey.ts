// A window of its own for the test of a race: says `ready`, waits for a line, makes the key and prints its public half.
import { ensureOwnKey } from '../../src/ssh/ownKey';

async function main(): Promise<void> {
  process.stdout.write('ready\n');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  process.stdout.write(`${(await ensureOwnKey(process.argv[2] ?? '')).publicKeyLine}\nend\n`);
}

void main();
