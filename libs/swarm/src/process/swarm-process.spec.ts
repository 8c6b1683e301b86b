import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { createPeerIdentity } from '../auth/index.js';
import { TestCoordinator } from '../auth/trust.fixture.js';
import { SwarmProcess, SwarmProcessEndedError } from './swarm-process.js';

const started: SwarmProcess[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.close()));
});

async function start(answerTimeoutMs?: number) {
  const identity = createPeerIdentity();
  const { promise: ended, resolve } = Promise.withResolvers<Error>();
  const nothing = () => Promise.reject(new Error('the coordinator is away'));
  const result = await SwarmProcess.start(
    {
      seed: identity.seed,
      certificate: new TestCoordinator().certify(identity.peerId),
      coordinatorKey: generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }),
      listen: ['/ip4/127.0.0.1/tcp/0'],
    },
    {
      coordinator: { announce: nothing, requestOriginTickets: nothing, fetchChunk: nothing },
      onStored: () => undefined,
      onDamaged: () => undefined,
      onEnded: resolve,
    },
    [],
    answerTimeoutMs,
  );
  started.push(result.process);
  return { ...result, ended };
}

describe('SwarmProcess', () => {
  it('listens only where it is told to', async () => {
    const { addresses } = await start();
    expect(addresses).toHaveLength(1);
    expect(addresses[0]).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+/);
  });

  it('tells that it was killed, and refuses every call from then on', async () => {
    const { process: swarm, pid, ended } = await start();
    process.kill(pid, 'SIGKILL');
    expect(await ended).toBeInstanceOf(SwarmProcessEndedError);
    await expect(swarm.progress()).rejects.toThrow(SwarmProcessEndedError);
  });

  it.skipIf(process.platform === 'win32')('is given up when it does not answer', async () => {
    const { process: swarm, pid, ended } = await start(500);
    process.kill(pid, 'SIGSTOP');
    await expect(swarm.leave('0'.repeat(64))).rejects.toThrow(SwarmProcessEndedError);
    expect(await ended).toBeInstanceOf(SwarmProcessEndedError);
  });

  it('answers a call that it cannot fulfil with the reason, and goes on', async () => {
    const { process: swarm } = await start();
    const fetching = swarm.fetch('0'.repeat(64), [0], new AbortController().signal);
    await expect(fetching).rejects.toThrow(/join .* before fetching/);
    expect((await swarm.progress()).bytesFromPeers).toBe(0);
  });
});
