import { join } from 'node:path';
import { ContentCache, HttpOriginSource } from '@gleaner/swarm';
import { createPeerIdentity } from '@gleaner/swarm/auth';
import { ChunkStore } from '@gleaner/swarm/store';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SwarmOffice } from './coordinator.fixture.js';
import { ReplicaKeeper, replicaRoomBytes } from './replicas.js';
import { SharedFiles } from './shared-files.js';
import type { SwarmSession } from './swarm-session.js';

afterEach(() => void vi.useRealTimers());

describe('room for replicas', () => {
  it('is half of what is free, and a quarter of the store in all', () => {
    expect(replicaRoomBytes({ freeBytes: 100, usedBytes: 900, replicaBytes: 0 })).toBe(50);
    expect(replicaRoomBytes({ freeBytes: 900, usedBytes: 100, replicaBytes: 0 })).toBe(250);
    expect(replicaRoomBytes({ freeBytes: 700, usedBytes: 300, replicaBytes: 240 })).toBe(10);
    expect(replicaRoomBytes({ freeBytes: 700, usedBytes: 300, replicaBytes: 260 })).toBe(0);
  });

  it('never lets replicas take more than their share, however often it is offered', () => {
    fc.assert(
      fc.property(
        fc.nat(10 ** 6),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (quotaBytes, taken) => {
          let replicaBytes = 0;
          for (const share of taken) {
            const room = replicaRoomBytes({
              freeBytes: quotaBytes - replicaBytes,
              usedBytes: replicaBytes,
              replicaBytes,
            });
            replicaBytes += Math.floor(room * share);
          }
          expect(replicaBytes).toBeLessThanOrEqual(quotaBytes / 4);
        },
      ),
    );
  });
});

describe('what to keep for others', () => {
  it('is asked for again in time, though the clock was set back meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    await using office = await SwarmOffice.open();
    const { client, directory } = office;
    const { peerId } = createPeerIdentity();
    const manifests = new HttpOriginSource({
      baseUrl: client.baseUrl,
      credentials: () => ({}),
      retryDelayMs: () => 0,
    });
    const keeper = new ReplicaKeeper({
      client,
      store: await ChunkStore.open({ directory: join(directory, 'chunks'), quotaBytes: 1 }),
      cache: await ContentCache.open({ directory: join(directory, 'cache'), quotaBytes: 1 }),
      manifests,
      files: await SharedFiles.open(client, peerId, directory),
      log: () => undefined,
    });
    // `as`: nothing is offered, so nothing is asked of it.
    const round = () => keeper.round({} as SwarmSession, peerId, new AbortController().signal);
    vi.advanceTimersByTime(10_000);
    await round();
    vi.setSystemTime(Date.now() - 7_200_000);
    await round();
    expect(office.askedForReplicas).toBe(1);
    vi.advanceTimersByTime(60_000);
    await round();
    expect(office.askedForReplicas).toBe(2);
  });
});
