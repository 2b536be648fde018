// Lives in a pod's network and holds its mounts: the only way into that network, and its only way out.
//   relay.mjs <socket to listen on> <socket of the API> <the API's port>
// A connection to the first socket begins with the number of a port and a newline; the answer begins with '+' or '-'.
import * as net from 'node:net';

const [, , inward, outward, apiPort] = process.argv;
const options = { allowHalfOpen: true, noDelay: true };

/** Joins two connections: each one's end and each one's failure become the other's. */
function join(a, b) {
  for (const [from, to] of [[a, b], [b, a]]) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}

const listenInward = net.createServer(options, (client) => {
  client.on('error', () => undefined);
  let head = Buffer.alloc(0);
  const onReadable = () => {
    for (;;) {
      const byte = client.read(1);
      if (byte === null) return;
      if (byte[0] !== 10) {
        head = Buffer.concat([head, byte]);
        continue;
      }
      client.off('readable', onReadable);
      const server = net.connect({ host: '127.0.0.1', port: Number(head.toString()), ...options });
      const refuse = () => client.end('-');
      server.once('error', refuse);
      server.once('connect', () => {
        server.off('error', refuse);
        client.write('+');
        join(client, server);
      });
      return;
    }
  };
  client.on('readable', onReadable);
});

const listenOutward = net.createServer(options, (client) => {
  const server = net.connect({ path: outward, allowHalfOpen: true });
  join(client, server);
});

listenInward.listen(inward, () => {
  listenOutward.listen(Number(apiPort), '127.0.0.1', () => process.stdout.write('ready\n'));
});
