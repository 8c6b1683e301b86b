import { describe, expect, it } from 'vitest';
import { ChunkBuffers } from './chunk-buffers.js';
import { ChunkCache } from './chunk-cache.js';

function aCache(maxBytes: number) {
  const unused: Uint8Array[] = [];
  return { cache: new ChunkCache(maxBytes, (bytes) => unused.push(bytes)), unused };
}

describe('ChunkCache', () => {
  it('lets the chunk go that was used longest ago, and gives back what nobody has seen', async () => {
    const { cache, unused } = aCache(8);
    const [a, b, c] = [new Uint8Array(4), new Uint8Array(4), new Uint8Array(4)];
    cache.putOwn('a', a);
    cache.putOwn('b', b);
    expect(await cache.get('a')).toBe(a);
    cache.putOwn('c', c);
    expect(cache.get('b')).toBeUndefined();
    expect(unused).toEqual([b]);
    cache.putOwn('d', new Uint8Array(8));
    // The first was handed out: whoever got it may be sending it still.
    expect(unused).toEqual([b, c]);
  });

  it('never gives back what somebody read from the disk', () => {
    const { cache, unused } = aCache(4);
    cache.put('a', Promise.resolve(new Uint8Array(4)), 4);
    cache.putOwn('b', new Uint8Array(4));
    cache.delete('a');
    expect(unused).toEqual([]);
  });
});

describe('ChunkBuffers', () => {
  it('uses a buffer again for a chunk of the same length, and only a whole one', () => {
    const buffers = new ChunkBuffers();
    const [whole, part] = [new Uint8Array(16), new Uint8Array(32).subarray(0, 8)];
    buffers.give(whole);
    buffers.give(part);
    expect(buffers.take(8)).not.toBe(part);
    expect(buffers.take(16)).toBe(whole);
    expect(buffers.take(16)).not.toBe(whole);
  });

  it('uses a buffer again however many came back that are as long as no chunk to come', () => {
    const buffers = new ChunkBuffers();
    for (let length = 1; length <= 1000; length += 1) buffers.give(new Uint8Array(length));
    const usual = new Uint8Array(2000);
    buffers.give(usual);
    expect(buffers.take(2000)).toBe(usual);
  });

  it('keeps a few megabytes, of what came back last', () => {
    const buffers = new ChunkBuffers();
    const large = Array.from({ length: 6 }, () => new Uint8Array(4 * 1024 * 1024));
    for (const each of large) buffers.give(each);
    const again = large.map(() => buffers.take(4 * 1024 * 1024));
    expect(large.map((each) => again.includes(each))).toEqual([false, false, true, true, true, true]);
  });
});
