import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OriginLine } from './origin-line.js';

const RATE = 1024 * 1024;
const KIB = 1024;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function content(bytes: number): Readable {
  return Readable.from([Buffer.alloc(bytes, 7)]);
}

/** Counts what arrives. */
function receive(stream: Readable): { bytes: number; ended: boolean } {
  const got = { bytes: 0, ended: false };
  stream.on('data', (part: Buffer) => (got.bytes += part.length));
  stream.on('end', () => (got.ended = true));
  return got;
}

describe('the origin’s line', () => {
  it('carries no more than its rate, and all of it', async () => {
    const line = new OriginLine({ originBytesPerSecond: RATE });
    const got = receive(line.pace(content(2 * RATE), 'a'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(got.bytes).toBeGreaterThanOrEqual(0.95 * RATE);
    expect(got.bytes).toBeLessThanOrEqual(1.1 * RATE);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(got).toEqual({ bytes: 2 * RATE, ended: true });
  });

  it('is shared evenly by callers, not by connections', async () => {
    const line = new OriginLine({ originBytesPerSecond: RATE });
    const greedy = Array.from({ length: 4 }, () => receive(line.pace(content(RATE), 'greedy')));
    const modest = receive(line.pace(content(RATE), 'modest'));
    await vi.advanceTimersByTimeAsync(1_000);
    const taken = greedy.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(Math.abs(taken - modest.bytes)).toBeLessThanOrEqual(64 * KIB);
  });

  it('loses nothing to those who hang up', async () => {
    const line = new OriginLine({ originBytesPerSecond: RATE });
    const gone = line.pace(content(RATE), 'gone');
    receive(gone);
    const stays = receive(line.pace(content(RATE), 'stays'));
    await vi.advanceTimersByTimeAsync(100);
    gone.destroy();
    const before = stays.bytes;
    await vi.advanceTimersByTimeAsync(500);
    expect(stays.bytes - before).toBeGreaterThanOrEqual(0.48 * RATE);
  });

  it('has no cap unless one is configured', () => {
    const stream = content(1);
    expect(new OriginLine({ originBytesPerSecond: null }).pace(stream, 'a')).toBe(stream);
  });
});
