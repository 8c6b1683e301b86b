import { describe, expect, it } from 'vitest';
import { FILE } from './simulated-host.fixture.js';
import { aSwarm, CHUNKS, everything, MB, SIZE_BYTES } from './small-swarm.fixture.js';

describe('the engine', () => {
  it('disconnects a peer that floods it with requests', () => {
    const swarm = aSwarm({ originRate: 0 });
    const seed = swarm.add({
      name: 'seed',
      uplink: 1000,
      have: everything,
    });
    const flooder = swarm.add({ name: 'flooder' });
    swarm.connect(seed, flooder);
    swarm.runUntil(() => swarm.nowMs > 1000, 2000);
    const actions = Array.from({ length: 2 * CHUNKS }, (_, index) => index % CHUNKS).flatMap((chunk) => [
      ...seed.engine.handle(
        { kind: 'frame', peer: 'flooder', frame: { type: 'request', channel: 0, chunk } },
        swarm.nowMs,
      ),
    ]);
    expect(actions).toContainEqual({
      kind: 'disconnect',
      peer: 'flooder',
      reason: 'request-flood',
      ban: false,
    });
  });

  it('disconnects a peer that sends what nobody asked for', () => {
    const swarm = aSwarm({ originRate: 0 });
    const host = swarm.add({ name: 'host', want: [] });
    const pusher = swarm.add({ name: 'pusher', want: [] });
    swarm.connect(host, pusher);
    swarm.runUntil(() => host.engine.peers(swarm.nowMs).length === 1 && swarm.nowMs > 100, 1000);
    const frame = { type: 'block' as const, channel: 0, chunk: 0, offset: 0, bytes: new Uint8Array(1) };
    const actions = host.engine.handle({ kind: 'frame', peer: 'pusher', frame }, swarm.nowMs);
    expect(actions).toContainEqual({
      kind: 'disconnect',
      peer: 'pusher',
      reason: 'unsolicited-data',
      ban: false,
    });
  });

  it('disconnects a peer whose file has another number of chunks', () => {
    const swarm = aSwarm({ originRate: 0 });
    const host = swarm.add({ name: 'host' });
    swarm.add({
      name: 'other',
      tamper: (frame) => (frame.type === 'bitmap' ? { ...frame, count: 8, bits: new Uint8Array(1) } : frame),
    });
    swarm.connectAll();
    swarm.runUntil(() => host.disconnects.length > 0, 1000);
    expect(host.disconnects).toEqual([{ peer: 'other', reason: 'mismatch' }]);
  });

  it('keeps to the volunteer’s upload limit', () => {
    const swarm = aSwarm({ originRate: 0 });
    const seed = swarm.add({ name: 'seed', have: everything, config: { uploadBytesPerSecond: MB } });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 60_000);
    expect(swarm.nowMs).toBeGreaterThanOrEqual(((SIZE_BYTES - MB) / MB) * 1000);
    expect(seed.engine.peers(swarm.nowMs)[0]?.sentBytes).toBe(SIZE_BYTES);
  });

  it('stops serving when the peer’s ticket has expired', () => {
    const swarm = aSwarm({ originRate: 0 });
    const seed = swarm.add({ name: 'seed', have: [0], want: [] });
    const host = swarm.add({ name: 'host', want: [] });
    swarm.connect(seed, host);
    swarm.runUntil(() => swarm.nowMs > 500, 1000);
    const later = swarm.nowMs + 3_600_001;
    const actions = seed.engine.handle({ kind: 'tick' }, later);
    expect(actions).toContainEqual({
      kind: 'send',
      peer: 'host',
      frame: { type: 'close', channel: 0, reason: 'not-permitted' },
    });
    const request = { type: 'request' as const, channel: 0, chunk: 0 };
    expect(seed.engine.handle({ kind: 'frame', peer: 'host', frame: request }, later)).toContainEqual({
      kind: 'send',
      peer: 'host',
      frame: { type: 'reject', channel: 0, chunk: 0 },
    });
  });

  it('holds no memory for chunks once their file is removed', () => {
    const swarm = aSwarm({ originRate: 0 });
    swarm.add({ name: 'seed', uplink: MB, have: everything });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.engine.bufferedBytes > 0, 5000);
    host.engine.handle({ kind: 'file-removed', manifestId: FILE }, swarm.nowMs);
    expect(host.engine.bufferedBytes).toBe(0);
  });
});
