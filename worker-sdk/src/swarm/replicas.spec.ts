import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replicaRoomBytes } from './replicas.js';

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
