import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createPeerIdentity } from '../auth/index.js';
import { TestCoordinator } from '../auth/trust.fixture.js';
import { CoordinatorRefusedError, type SwarmCoordinator } from './swarm-coordinator.js';
import { anAuthority, location, manifest, OneBlobCoordinator } from './swarm-node.fixture.js';
import { SwarmProcess, SwarmProcessEndedError, type SwarmProcessEvents } from './swarm-process.js';

const started: SwarmProcess[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.close()));
});

const nothing = () => Promise.reject(new Error('the coordinator is away'));
const AWAY: SwarmCoordinator = { announce: nothing, requestOriginTickets: nothing, fetchChunk: nothing };

async function start(answerTimeoutMs?: number, coordinator = AWAY, onLog?: SwarmProcessEvents['onLog']) {
  const identity = createPeerIdentity();
  const { promise: ended, resolve } = Promise.withResolvers<Error>();
  const result = await SwarmProcess.start(
    {
      seed: identity.seed,
      certificate: new TestCoordinator().certify(identity.peerId),
      coordinatorKey: generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }),
      listen: ['/ip4/127.0.0.1/tcp/0'],
    },
    {
      coordinator,
      onStored: () => undefined,
      onDamaged: () => undefined,
      onEnded: resolve,
      ...(onLog && { onLog }),
    },
    [],
    answerTimeoutMs,
  );
  started.push(result.process);
  return { ...result, ended, identity };
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

  it('has chunks from the coordinator also of a file that is left and shared again at once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-process-'));
    const coordinator = new OneBlobCoordinator();
    const { process: swarm, identity } = await start(undefined, coordinator);
    const { manifestId } = location;
    const ticket = anAuthority().ticket(identity.peerId, manifestId);
    const dataPath = join(directory, 'data');
    const request = { location, manifest, ticket, dataPath, have: new Uint8Array(1) };
    await swarm.join(request);
    await Promise.all([swarm.leave(manifestId), swarm.join(request)]);
    await swarm.fetch(manifestId, [0], AbortSignal.timeout(20_000));
    expect(coordinator.delivered).toEqual([0]);
    await swarm.close();
    await rm(directory, { recursive: true });
  });

  it.each([
    ['says nothing of a file that the coordinator has forgotten', new CoordinatorRefusedError('403'), []],
    ['says that the coordinator is away', new Error('nobody there'), ['announce-failed']],
  ])('%s, before the ticket is shown', async (_what, error, said) => {
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-process-'));
    const asked = Promise.withResolvers<void>();
    const events: string[] = [];
    const announce: SwarmCoordinator['announce'] = ({ ticket }) => {
      if (ticket) asked.resolve();
      return Promise.reject(error);
    };
    const { process: swarm, identity } = await start(undefined, { ...AWAY, announce }, (event) =>
      events.push(event),
    );
    const ticket = anAuthority().ticket(identity.peerId, location.manifestId);
    await swarm.join({
      location,
      manifest,
      ticket,
      dataPath: join(directory, 'data'),
      have: new Uint8Array(1),
    });
    await asked.promise;
    expect(events).toEqual(said);
    await rm(directory, { recursive: true });
  });

  it('answers a call that it cannot fulfil with the reason, and goes on', async () => {
    const { process: swarm } = await start();
    const fetching = swarm.fetch('0'.repeat(64), [0], new AbortController().signal);
    await expect(fetching).rejects.toThrow(/join .* before fetching/);
    expect((await swarm.progress()).bytesFromPeers).toBe(0);
  });
});
