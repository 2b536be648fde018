// A link in a process of its own: what carries the bytes must not take the time of the one who is measured.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openRelay, type TcpAddress } from '../simulator/link';
import type { LinkShape } from '../simulator/machine';

interface Order {
  readonly address: TcpAddress;
  readonly link: LinkShape;
}

/** A port that leads to a TCP server over a link of a chosen shape. */
export interface FarPort extends TcpAddress {
  close(): Promise<void>;
}

/** Opens a link to `address` in another process, which ends with this one. */
export async function openFarLink(address: TcpAddress, link: LinkShape): Promise<FarPort> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'tsx'], env: { ...process.env, RUNPOD_BENCH_LINK: '1' }, stdio: 'inherit' });
  child.send({ address, link } satisfies Order);
  const port = await Promise.race([first(child), once(child, 'exit').then(() => Promise.reject(new Error('The link did not start')))]);
  return {
    host: '127.0.0.1',
    port,
    close: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function first(child: ChildProcess): Promise<number> {
  const [port] = (await once(child, 'message')) as [number];
  return port;
}

if (process.env['RUNPOD_BENCH_LINK'] === '1') {
  process.once('message', (order: Order) => {
    void openRelay(order.address, order.link).then(({ port }) => process.send?.(port));
  });
  process.once('disconnect', () => process.exit());
}
