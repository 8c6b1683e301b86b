import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryContent } from './file-content.js';
import { Volume } from './volume.js';

const TERABYTE = 2 ** 40;

function aVolume(limitBytes: number): Volume {
  return new Volume({ device: 1, writable: true, limitBytes });
}

describe('MemoryContent', () => {
  it('holds a byte a terabyte behind the start, and zeros before it', () => {
    const volume = aVolume(2 * TERABYTE);
    const content = new MemoryContent(volume);
    expect(content.write(TERABYTE, Uint8Array.of(7))).toBe(true);
    expect(content.size).toBe(TERABYTE + 1);
    expect(volume.usedBytes).toBe(TERABYTE + 1);
    const end = new Uint8Array(10).fill(1);
    expect(content.read(TERABYTE - 4, end)).toBe(5);
    expect([...end]).toEqual([0, 0, 0, 0, 7, 1, 1, 1, 1, 1]);
  });

  it('gives back what it is cut by, and reads zeros where it grows again', () => {
    const volume = aVolume(TERABYTE);
    const content = new MemoryContent(volume);
    content.write(0, new Uint8Array(10_000).fill(9));
    content.resize(5_000);
    expect(volume.usedBytes).toBe(5_000);
    content.resize(TERABYTE);
    const across = new Uint8Array(3);
    content.read(4_999, across);
    expect([...across]).toEqual([9, 0, 0]);
    content.release();
    expect([volume.usedBytes, content.size, content.bytes.length]).toEqual([0, 0, 0]);
  });

  it('changes nothing where its volume has no room', () => {
    const volume = aVolume(5);
    const content = new MemoryContent(volume);
    content.write(0, Uint8Array.of(1, 2, 3));
    expect(content.write(3, Uint8Array.of(4, 5, 6))).toBe(false);
    expect(content.resize(6)).toBe(false);
    expect([[...content.bytes], volume.usedBytes]).toEqual([[1, 2, 3], 3]);
  });

  it('reads as an array of bytes would after any writes and cuts', () => {
    const offset = fc.oneof(fc.nat(300), fc.nat(20_000));
    const step = fc.oneof(
      fc.record({
        offset,
        length: fc.oneof(fc.nat(20), fc.nat(9_000)),
        value: fc.integer({ min: 1, max: 255 }),
      }),
      fc.record({ size: offset }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), offset, (steps, from) => {
        const content = new MemoryContent(aVolume(TERABYTE));
        const expected: number[] = [];
        for (const change of steps) {
          if ('size' in change) {
            content.resize(change.size);
            while (expected.length < change.size) expected.push(0);
            expected.length = change.size;
          } else if (change.length > 0) {
            content.write(change.offset, new Uint8Array(change.length).fill(change.value));
            while (expected.length < change.offset + change.length) expected.push(0);
            expected.fill(change.value, change.offset, change.offset + change.length);
          }
        }
        const target = new Uint8Array(5_000).fill(1);
        const read = content.read(from, target);
        expect(Buffer.from(content.bytes).equals(Buffer.from(expected))).toBe(true);
        expect(
          Buffer.from(target.subarray(0, read)).equals(Buffer.from(expected.slice(from, from + 5_000))),
        ).toBe(true);
        expect(target.subarray(read).every((byte) => byte === 1)).toBe(true);
      }),
    );
  });
});
