import { describe, expect, it } from 'vitest';
import { addHosts, aSwarm, CHUNKS, everything, FLOOR_MS, MB } from './small-swarm.fixture.js';
import { DEFAULT_SWAP_CONFIG } from './swap-config.js';

describe('a slow peer', () => {
  const slow = { uplink: 50_000, config: { uploadBytesPerSecond: 50_000, downloadBytesPerSecond: 50_000 } };

  it.each([1, 2, 3, 4, 5])('delays nobody by more than a tenth (seed %i)', (seed) => {
    const [without = 0, beside = 0] = [{ uplink: 10 * MB }, slow].map((line) => {
      const swarm = aSwarm({ seed });
      addHosts(swarm, 4);
      const others = swarm.living;
      swarm.add({ ...line, name: 'another' });
      swarm.connectAll();
      swarm.runUntil(() => others.every((host) => host.isComplete), 60_000);
      return swarm.nowMs;
    });
    expect(beside).toBeLessThanOrEqual(without * 1.1);
  });

  it('does not become the only holder of what the origin has sent', () => {
    const swarm = aSwarm();
    const host = swarm.add({ ...slow, name: 'slow' });
    addHosts(swarm, 4);
    swarm.connectAll();
    swarm.runUntil(() => swarm.living.every((other) => other === host || other.isComplete), 60_000);
    expect(host.originChunks).toBe(0);
  });

  it('asks the origin all the same when nobody else shares the file', () => {
    const swarm = aSwarm();
    const host = swarm.add({ name: 'slow', config: { uploadBytesPerSecond: 50_000 } });
    swarm.runUntil(() => host.isComplete, 60_000);
    expect(host.originChunks).toBe(CHUNKS);
    expect(swarm.nowMs).toBeLessThanOrEqual(DEFAULT_SWAP_CONFIG.originPatienceMs + 1.5 * FLOOR_MS);
  });

  it('does not keep a chunk that somebody faster has by now, although the file is far from complete', () => {
    const swarm = aSwarm({ originRate: 0 });
    const dripper = swarm.add({ name: 'dripper', uplink: 20_000, have: [0], want: [] });
    const host = swarm.add({ name: 'host' });
    swarm.connect(dripper, host);
    swarm.runUntil(() => swarm.nowMs > 2000, 3000);
    swarm.connect(host, swarm.add({ name: 'fast', uplink: 10 * MB, have: [0, 1, 2], want: [] }));
    swarm.runUntil(() => host.stored.has(0), 8000);
    expect(host.isComplete).toBe(false);
  });

  it('does not keep the last chunks from the origin, although these were asked of it', () => {
    const swarm = aSwarm({ seed: 13, originRate: 4 * MB });
    swarm.add({ name: 'dripper', uplink: 40_000, have: everything, want: [] });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 8000);
  });
});
