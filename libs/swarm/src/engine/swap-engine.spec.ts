import { describe, expect, it } from 'vitest';
import { Bitmap } from './bitmap.js';
import {
  addHosts,
  aSwarm,
  CHUNKS,
  everybodyIsComplete,
  everything,
  FLOOR_MS,
  MB,
  originRatio,
  SIZE_BYTES,
} from './small-swarm.fixture.js';

describe('a swarm', () => {
  it.each([1, 2, 3])(
    'takes each byte from the origin about once, near the origin’s own time (seed %i)',
    (seed) => {
      const swarm = aSwarm({ seed });
      addHosts(swarm, 8);
      swarm.connectAll();
      swarm.runUntil(everybodyIsComplete(swarm), 60_000);
      expect(originRatio(swarm)).toBeLessThanOrEqual(1.05);
      expect(swarm.nowMs).toBeLessThanOrEqual(1.5 * FLOOR_MS);
    },
  );

  it('grows to 32 hosts without more from the origin', () => {
    const swarm = aSwarm();
    addHosts(swarm, 32);
    swarm.connectAll();
    swarm.runUntil(everybodyIsComplete(swarm), 60_000);
    expect(originRatio(swarm)).toBeLessThanOrEqual(1.1);
  });

  it.each([1, 2])('and where they send only %d MB/s, as peers come to it in turn', (uplink) => {
    const swarm = aSwarm();
    addHosts(swarm, 32, { uplink: uplink * MB });
    swarm.connectAll();
    swarm.runUntil(everybodyIsComplete(swarm), 90_000);
    expect(originRatio(swarm)).toBeLessThanOrEqual(1.1);
    // All lines together could do no better than this.
    const leastMs = (SIZE_BYTES / (uplink * MB)) * 1000;
    expect(swarm.nowMs).toBeLessThanOrEqual(1.4 * leastMs);
  });

  it('bans a peer at its first bad chunk and completes with little extra traffic', () => {
    const swarm = aSwarm({ seed: 7 });
    addHosts(swarm, 7);
    swarm.add({ name: 'liar', uplink: 10 * MB, corrupt: () => true });
    swarm.connectAll();
    const honest = swarm.living.filter(({ init }) => init.name !== 'liar');
    swarm.runUntil(() => honest.every((host) => host.isComplete), 60_000);
    expect(honest.filter(({ banned }) => banned.has('liar')).length).toBeGreaterThan(1);
    for (const host of honest) {
      expect([...host.banned].every((name) => name === 'liar')).toBe(true);
      // What was complete already when the first bad chunk was found may be bad too.
      expect(host.badChunks).toBeLessThanOrEqual(2);
    }
    expect(originRatio(swarm)).toBeLessThanOrEqual(1.1);
  });

  it('completes when half of the hosts vanish midway', () => {
    const swarm = aSwarm({ seed: 3 });
    addHosts(swarm, 8);
    swarm.connectAll();
    swarm.runUntil(() => swarm.origin.sentBytes >= SIZE_BYTES / 2, 60_000);
    for (const host of swarm.living.slice(0, 4)) swarm.kill(host);
    swarm.runUntil(everybodyIsComplete(swarm), 60_000);
    expect(swarm.living).toHaveLength(4);
    expect(originRatio(swarm)).toBeLessThanOrEqual(1.3);
  });

  it('spreads everything that exists when the origin goes away', () => {
    const swarm = aSwarm({ seed: 4 });
    addHosts(swarm, 8);
    swarm.connectAll();
    swarm.runUntil(() => swarm.origin.sentBytes >= SIZE_BYTES / 2, 60_000);
    swarm.origin.isUp = false;
    const existing = Bitmap.of(
      CHUNKS,
      swarm.living.flatMap(({ stored }) => [...stored]),
    );
    swarm.runUntil(() => swarm.living.every(({ stored }) => stored.size === existing.size), 60_000);
    expect(existing.size).toBeGreaterThanOrEqual(CHUNKS / 2);
    swarm.origin.isUp = true;
    swarm.runUntil(everybodyIsComplete(swarm), 120_000);
  });

  it('completes without an origin from one seed, faster than the seed could serve everybody', () => {
    const swarm = aSwarm({ originRate: 0 });
    swarm.add({ name: 'seed', uplink: 2 * MB, have: everything });
    addHosts(swarm, 8);
    swarm.connectAll();
    swarm.runUntil(everybodyIsComplete(swarm), 60_000);
    expect(swarm.nowMs).toBeLessThan(((8 * SIZE_BYTES) / (2 * MB)) * 1000 * 0.25);
  });

  it('turns to peers for chunks that the origin does not deliver', () => {
    const swarm = aSwarm();
    swarm.origin.isStuck = true;
    swarm.add({ name: 'seed', uplink: 10 * MB, have: everything });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 10_000);
  });

  it('fetches only the chunks of the wanted window', () => {
    const swarm = aSwarm({ originRate: 0 });
    swarm.add({ name: 'seed', have: everything });
    const host = swarm.add({ name: 'host', want: [10, 11, 12] });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 10_000);
    expect([...host.stored]).toEqual([10, 11, 12]);
  });

  it('finds further hosts through those it knows', () => {
    const swarm = aSwarm({ originRate: 0 });
    const seed = swarm.add({ name: 'seed', have: [0, 1, 2], want: [] });
    const middle = swarm.add({ name: 'middle', want: [] });
    const host = swarm.add({ name: 'host', want: [0, 1, 2] });
    swarm.connect(seed, middle);
    swarm.connect(middle, host);
    swarm.runUntil(() => host.isComplete, 30_000);
    expect(host.peers.has(seed)).toBe(true);
  });

  it('serves nobody without a ticket', () => {
    const swarm = aSwarm();
    swarm.add({ name: 'seed', uplink: MB, have: everything });
    const outsider = swarm.add({
      name: 'outsider',
      tamper: (frame) =>
        frame.type === 'open' ? { ...frame, ticket: Buffer.from('ticket of seed') } : frame,
    });
    swarm.connectAll();
    swarm.runUntil(() => outsider.isComplete, 60_000);
    expect(originRatio(swarm)).toBe(1);
  });

  it('gets past a peer that claims chunks and never sends them', () => {
    const swarm = aSwarm({ seed: 9 });
    addHosts(swarm, 3);
    swarm.add({
      name: 'boaster',
      want: [],
      tamper: (frame) => {
        if (frame.type === 'bitmap') return { ...frame, bits: new Uint8Array(frame.bits.length).fill(255) };
        return frame.type === 'block' || frame.type === 'reject' ? undefined : frame;
      },
    });
    swarm.connectAll();
    const honest = swarm.living.filter(({ init }) => init.name !== 'boaster');
    swarm.runUntil(() => honest.every((host) => host.isComplete), 60_000);
    expect(originRatio(swarm)).toBeLessThanOrEqual(1.5);
  });

  it('gives up chunks that drip, and completes', () => {
    const swarm = aSwarm({ seed: 11, originRate: 0 });
    swarm.add({ name: 'dripper', uplink: 2000, have: everything });
    swarm.add({ name: 'seed', uplink: 2 * MB, have: everything });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 40_000);
  });
});
