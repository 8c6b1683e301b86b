import { describe, expect, it } from 'vitest';
import { Bitmap } from './bitmap.js';
import { FILE, type SimulatedHostInit } from './simulated-host.fixture.js';
import { SimulatedSwarm } from './simulated-swarm.fixture.js';
import { DEFAULT_SWAP_CONFIG } from './swap-config.js';

const MB = 1_000_000;
const CHUNKS = 64;
const CHUNK_BYTES = 256 * 1024;
const SIZE_BYTES = CHUNKS * CHUNK_BYTES;
const ORIGIN_RATE = 5 * MB;
const FLOOR_MS = (SIZE_BYTES / ORIGIN_RATE) * 1000;

function aSwarm(options: { seed?: number; originRate?: number } = {}): SimulatedSwarm {
  const { seed = 1, originRate = ORIGIN_RATE } = options;
  return new SimulatedSwarm({ seed, chunks: CHUNKS, chunkBytes: CHUNK_BYTES, originRate });
}

function addHosts(swarm: SimulatedSwarm, count: number, init: Partial<SimulatedHostInit> = {}): void {
  for (let index = 0; index < count; index += 1)
    swarm.add({ uplink: 10 * MB, ...init, name: `host-${index}` });
}

const everybodyIsComplete = (swarm: SimulatedSwarm) => () => swarm.living.every((host) => host.isComplete);
const originRatio = (swarm: SimulatedSwarm): number => swarm.origin.sentBytes / SIZE_BYTES;

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
    swarm.add({ name: 'seed', uplink: 2 * MB, have: Array.from({ length: CHUNKS }, (_, index) => index) });
    addHosts(swarm, 8);
    swarm.connectAll();
    swarm.runUntil(everybodyIsComplete(swarm), 60_000);
    expect(swarm.nowMs).toBeLessThan(((8 * SIZE_BYTES) / (2 * MB)) * 1000 * 0.25);
  });

  it('turns to peers for chunks that the origin does not deliver', () => {
    const swarm = aSwarm();
    swarm.origin.isStuck = true;
    swarm.add({ name: 'seed', uplink: 10 * MB, have: Array.from({ length: CHUNKS }, (_, index) => index) });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 10_000);
  });

  it('fetches only the chunks of the wanted window', () => {
    const swarm = aSwarm({ originRate: 0 });
    swarm.add({ name: 'seed', have: Array.from({ length: CHUNKS }, (_, index) => index) });
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
    swarm.add({ name: 'seed', uplink: MB, have: Array.from({ length: CHUNKS }, (_, index) => index) });
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
    const have = Array.from({ length: CHUNKS }, (_, index) => index);
    swarm.add({ name: 'dripper', uplink: 2000, have });
    swarm.add({ name: 'seed', uplink: 2 * MB, have });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 40_000);
  });
});

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
    const have = Array.from({ length: CHUNKS }, (_, index) => index);
    swarm.add({ name: 'dripper', uplink: 40_000, have, want: [] });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.isComplete, 8000);
  });
});

describe('the engine', () => {
  it('disconnects a peer that floods it with requests', () => {
    const swarm = aSwarm({ originRate: 0 });
    const seed = swarm.add({
      name: 'seed',
      uplink: 1000,
      have: Array.from({ length: CHUNKS }, (_, index) => index),
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
    const have = Array.from({ length: CHUNKS }, (_, index) => index);
    const seed = swarm.add({ name: 'seed', have, config: { uploadBytesPerSecond: MB } });
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
    swarm.add({ name: 'seed', uplink: MB, have: Array.from({ length: CHUNKS }, (_, index) => index) });
    const host = swarm.add({ name: 'host' });
    swarm.connectAll();
    swarm.runUntil(() => host.engine.bufferedBytes > 0, 5000);
    host.engine.handle({ kind: 'file-removed', manifestId: FILE }, swarm.nowMs);
    expect(host.engine.bufferedBytes).toBe(0);
  });
});
