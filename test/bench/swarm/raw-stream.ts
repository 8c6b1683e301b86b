// The yardstick: one raw libp2p stream between two processes, over the swarm's own transport (TCP, Noise, yamux, the same windows) and link,
// sent in pieces of 64 KiB and thrown away at the other end: no engine, no hash, no disk. The parent forks this file as both.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createPeerIdentity } from '@gleaner/swarm/auth';
import { createLibp2pTransport } from '@gleaner/swarm/libp2p';
import { nodeProcessOptions } from '@gleaner/swarm/process';
import { z } from 'zod';

const PIECE_BYTES = 64 * 1024;

const receiverReport = z.strictObject({ seconds: z.number(), cpuSeconds: z.number() });

export interface RawStreamReport {
  readonly seconds: number;
  readonly senderCpuSeconds: number;
  readonly receiverCpuSeconds: number;
}

if (process.send && process.argv[2] === 'sender') await sendOnDemand(Number(process.argv[3]));
if (process.send && process.argv[2] === 'receiver') await receive(Number(process.argv[3]));

/**
 * A raw stream of `sizeBytes` between two processes, timed from the request on an open stream to the last byte.
 *
 * @param isTuned whether the processes have the settings of V8 and malloc that a node's has; else they are plain ones
 */
export async function measureRawStream(sizeBytes: number, isTuned: boolean): Promise<RawStreamReport> {
  const [sender, receiver] = ['sender', 'receiver'].map((role) =>
    fork(fileURLToPath(import.meta.url), [role, String(sizeBytes)], isTuned ? nodeProcessOptions() : {}),
  );
  if (!sender || !receiver) throw new Error('two processes were to be started');
  try {
    const address = z.string().parse(await answerOf(sender));
    receiver.send(address);
    const { seconds, cpuSeconds } = receiverReport.parse(await answerOf(receiver));
    sender.send('report');
    return {
      seconds,
      receiverCpuSeconds: cpuSeconds,
      senderCpuSeconds: z.number().parse(await answerOf(sender)),
    };
  } finally {
    sender.kill();
    receiver.kill();
  }
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('message', resolve));
}

async function receive(sizeBytes: number): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  const transport = await createLibp2pTransport({
    identity: createPeerIdentity(),
    listen: [],
    onLink: () => undefined,
    onDiscovered: () => undefined,
  });
  process.once('message', (address) => {
    void (async () => {
      const link = await transport.dial(String(address), AbortSignal.timeout(10_000));
      const cpuBefore = process.cpuUsage();
      const startedAt = performance.now();
      link.send(Uint8Array.of(1));
      let received = 0;
      for await (const piece of link.incoming) {
        received += piece.length;
        if (received >= sizeBytes) break;
      }
      const seconds = (performance.now() - startedAt) / 1000;
      process.send?.({ seconds, cpuSeconds: secondsOf(process.cpuUsage(cpuBefore)) });
    })();
  });
}

async function sendOnDemand(sizeBytes: number): Promise<void> {
  let cpuBefore = process.cpuUsage();
  const transport = await createLibp2pTransport({
    identity: createPeerIdentity(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    onDiscovered: () => undefined,
    onLink: (link) => {
      cpuBefore = process.cpuUsage();
      void (async () => {
        const piece = new Uint8Array(PIECE_BYTES);
        for (let sent = 0; sent < sizeBytes; sent += piece.length)
          if (!link.send(piece)) await link.drained();
      })();
    },
  });
  process.on('message', () => process.send?.(secondsOf(process.cpuUsage(cpuBefore))));
  process.send?.(transport.addresses[0]);
  process.on('disconnect', () => process.exit(0));
}

function secondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}
