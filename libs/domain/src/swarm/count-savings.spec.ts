import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTraffic, NO_TRAFFIC } from './count-savings.js';

describe('bytes that the swarm saved', () => {
  it('are what came from peers', () => {
    const traffic = countTraffic(NO_TRAFFIC, { fromPeersBytes: 700 }, 1000);
    expect(countTraffic(traffic, { fromPeersBytes: 100 }, 1000).savedBytes).toBe(800);
  });

  it('are never what the origin sent, before or after the claim', () => {
    const sentBefore = countTraffic(NO_TRAFFIC, { fromOriginBytes: 400 }, 1000);
    expect(countTraffic(sentBefore, { fromPeersBytes: 900 }, 1000).savedBytes).toBe(600);
    const sentAfter = countTraffic(
      countTraffic(NO_TRAFFIC, { fromPeersBytes: 900 }, 1000),
      { fromOriginBytes: 400 },
      1000,
    );
    expect(sentAfter.savedBytes).toBe(600);
  });

  it('and what the origin sent make no more than one copy, whatever is claimed', () => {
    const moves = fc.array(
      fc.record({ fromPeersBytes: fc.nat({ max: 5000 }), fromOriginBytes: fc.nat({ max: 500 }) }),
    );
    fc.assert(
      fc.property(moves, fc.nat({ max: 3000 }), (moved, sizeBytes) => {
        const end = moved.reduce((traffic, move) => countTraffic(traffic, move, sizeBytes), NO_TRAFFIC);
        expect(end.savedBytes).toBeGreaterThanOrEqual(0);
        expect(end.savedBytes + end.originBytes).toBeLessThanOrEqual(sizeBytes);
      }),
    );
  });
});
