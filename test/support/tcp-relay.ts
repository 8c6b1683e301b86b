import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** An address of this machine that leads to a port, and later to another: what a name or a load balancer is to a server's clients. */
export interface TcpRelay {
  readonly port: number;
  /** New connections lead there; those that are there stay where they are. */
  leadTo(port: number): void;
  /** What is at the other end of the connections that are there goes, and nobody hears of it, as where a machine loses its power. */
  fallSilent(): void;
  close(): void;
}

export async function startTcpRelay(target: number): Promise<TcpRelay> {
  const pairs = new Set<readonly [here: Socket, there: Socket]>();
  let port = target;
  const relay = createServer((here) => {
    const there = connect(port, '127.0.0.1');
    const pair = [here, there] as const;
    pairs.add(pair);
    here.pipe(there).pipe(here);
    const end = (): void => {
      if (!pairs.delete(pair)) return;
      here.destroy();
      there.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const silent = new Set<Socket>();
  const address = relay.address();
  if (address === null || typeof address === 'string') throw new Error('the relay listens on no port');
  return {
    port: address.port,
    leadTo: (next) => (port = next),
    fallSilent: () => {
      for (const [here, there] of pairs) {
        here.unpipe().resume();
        there.unpipe().destroy();
        silent.add(here);
      }
      pairs.clear();
    },
    close: () => {
      relay.close();
      for (const socket of [...pairs].flat()) socket.destroy();
      for (const socket of silent) socket.destroy();
    },
  };
}
