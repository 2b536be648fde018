// A window of its own for the test of pins under a race: `pinMany.ts <file> <name> <count>`.
import { hostKeyOf } from '../../src/ssh/hostKeys';
import { pinFile } from '../../src/ssh/pinFile';
import { PinStore } from '../../src/ssh/pins';

async function main(): Promise<void> {
  const [file = '', name = '', count = '0'] = process.argv.slice(2);
  const store = new PinStore(pinFile(file));
  for (let i = 0; i < Number(count); i++) {
    const key = hostKeyOf(Buffer.from(`\0\0\0\x0bssh-ed25519${name}${i}`, 'latin1'));
    await store.pin({ podId: `${name}-${i}`, startedAt: '2026-11-16T08:00:00Z' }, key);
  }
}

void main();
