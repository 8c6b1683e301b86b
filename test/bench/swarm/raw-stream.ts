// The yardstick: one raw libp2p stream (TCP, Noise, yamux) between two processes, no engine. The parent forks this file as the receiver.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createPeerIdentity } from '@gleaner/swarm/auth';
import { createLibp2pTransport } from '@gleaner/swarm/libp2p';

const PIECE_BYTES = 64 * 1024;

if (process.send && process.argv[2] === 'sender') {
  await sendOnDemand(Number(process.argv[3]));
}

/** Megabytes per second of a raw stream of `sizeBytes`. */
export async function measureRawStream(sizeBytes: number): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), ['sender', String(sizeBytes)]);
  try {
    const address = await new Promise<unknown>((resolve) => child.once('message', resolve));
    const transport = await createLibp2pTransport({
      identity: createPeerIdentity(),
      listen: [],
      onLink: () => undefined,
      onDiscovered: () => undefined,
    });
    const link = await transport.dial(String(address), AbortSignal.timeout(10_000));
    const startedAt = performance.now();
    link.send(Uint8Array.of(1));
    let received = 0;
    for await (const piece of link.incoming) {
      received += piece.length;
      if (received >= sizeBytes) break;
    }
    const seconds = (performance.now() - startedAt) / 1000;
    await transport.close();
    return sizeBytes / 1e6 / seconds;
  } finally {
    child.kill();
  }
}

async function sendOnDemand(sizeBytes: number): Promise<void> {
  const transport = await createLibp2pTransport({
    identity: createPeerIdentity(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    onDiscovered: () => undefined,
    onLink: (link) => {
      void (async () => {
        const piece = new Uint8Array(PIECE_BYTES);
        for (let sent = 0; sent < sizeBytes; sent += piece.length)
          if (!link.send(piece)) await link.drained();
      })();
    },
  });
  process.send?.(transport.addresses[0]);
  process.on('disconnect', () => process.exit(0));
}
