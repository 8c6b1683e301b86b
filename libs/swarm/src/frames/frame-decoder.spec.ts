import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBlockHeader, encodeFrame } from './encode-frame.js';
import { anyFrame } from './frame-arbitrary.fixture.js';
import { FRAME_LIMITS, FrameError, type Frame } from './frame.js';
import { FrameDecoder } from './frame-decoder.js';
import { wholeBlocks } from './whole-blocks.fixture.js';

function decodeAll(pieces: readonly Uint8Array[]): Frame[] {
  const decoder = new FrameDecoder();
  const frames = pieces.flatMap((piece) => [...decoder.push(piece)]);
  decoder.end();
  return frames;
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const borders = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
}

function faultOf(bytes: readonly number[] | Uint8Array): string | undefined {
  try {
    decodeAll([Uint8Array.from(bytes)]);
    return undefined;
  } catch (error) {
    if (error instanceof FrameError) return error.fault;
    throw error;
  }
}

describe('FrameDecoder', () => {
  it('gives back every sequence of frames, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame(), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, cuts) => {
          const stream = Buffer.concat(frames.map(encodeFrame));
          expect(wholeBlocks(decodeAll(cut(stream, cuts)))).toEqual(frames);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('answers any bytes with frames or a FrameError, and every accepted stream is what its frames encode to', () => {
    fc.assert(
      fc.property(fc.array(anyFrame(50), { maxLength: 3 }), fc.nat(), fc.nat(255), (frames, at, value) => {
        const stream = Buffer.concat(frames.map(encodeFrame));
        if (stream.length > 0) stream[at % stream.length] = value;
        try {
          expect(Buffer.concat(decodeAll([stream]).map(encodeFrame))).toEqual(stream);
        } catch (error) {
          if (!(error instanceof FrameError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('takes a block of the largest size and its header without copying the data', () => {
    const bytes = new Uint8Array(FRAME_LIMITS.blockBytes).fill(7);
    const block = { type: 'block' as const, channel: 1, chunk: 2, offset: 65_536, bytes };
    const decoded = decodeAll([encodeBlockHeader(block, bytes.length), bytes]);
    expect(decoded).toEqual([block]);
    expect(decoded[0]).toHaveProperty('bytes.buffer', bytes.buffer);
    expect(() => encodeFrame({ ...block, bytes: new Uint8Array(bytes.length + 1) })).toThrow(RangeError);
  });

  it('passes a block’s data on before the rest of them is there', () => {
    const encoded = encodeFrame({
      type: 'block',
      channel: 0,
      chunk: 5,
      offset: 0,
      bytes: Uint8Array.of(1, 2, 3),
    });
    const decoder = new FrameDecoder();
    const part = (offset: number, ...bytes: number[]) => [
      { type: 'block', channel: 0, chunk: 5, offset, bytes: Uint8Array.from(bytes) },
    ];
    expect([...decoder.push(encoded.subarray(0, -2))]).toEqual(part(0, 1));
    expect(() => decoder.end()).toThrow(FrameError);
    const other = new FrameDecoder();
    expect([...other.push(encoded.subarray(0, -1))]).toEqual(part(0, 1, 2));
    expect([...other.push(encoded.subarray(-1))]).toEqual(part(2, 3));
    other.end();
  });

  it.each([
    ['too-long', [0xff, 0xff, 0xff, 0xff, 10]],
    ['unknown-type', [0, 0, 0, 2, 99, 0]],
    ['unknown-type', [0, 0, 0, 2, 0, 0]],
    ['wrong-length', [0, 0, 0, 0, 6]],
    ['wrong-length', [0, 0, 0, 2, 4, 0]],
    ['wrong-length', [0, 0, 0, 4, 6, 0, 0, 0]],
    ['out-of-bounds', [0, 0, 0, 2, 6, 2]],
    ['out-of-bounds', [0, 0, 0, 4, 5, 0xff, 0, 1]],
    ['out-of-bounds', [0, 0, 0, 7, 4, 0, 0, 0xff, 0, 0, 0]],
    ['out-of-bounds', [0, 0, 0, 4, 2, 0, 0, 77]],
    ['out-of-bounds', [0, 0, 0, 8, 3, 0, 0, 0, 0, 0, 3, 0b1000]],
    ['wrong-length', [0, 0, 0, 8, 3, 0, 0, 0, 0, 0, 9, 1]],
    ['wrong-length', [0, 0, 0, 4, 11, 1, 0, 9]],
    ['wrong-length', [0, 0, 0, 3, 11, 0, 0]],
    ['out-of-bounds', [0, 0, 0, 2, 11, 200]],
    ['out-of-bounds', [0, 0, 0, 12, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7]],
    ['truncated', [0, 0, 0, 2]],
    ['truncated', [0, 0, 0, 7, 4, 0]],
  ])('refuses as %s', (fault, bytes) => {
    expect(faultOf(bytes)).toBe(fault);
  });

  it('refuses every frame of a fixed length that is a byte longer or shorter', () => {
    const fixed = ['close', 'have', 'interest', 'slot', 'request', 'cancel', 'reject'];
    const aFixedFrame = anyFrame().filter(({ type }) => fixed.includes(type));
    fc.assert(
      fc.property(aFixedFrame, fc.constantFrom(-1, 1), (frame, more) => {
        const bytes = Buffer.concat([encodeFrame(frame), Buffer.alloc(1)]);
        bytes.writeUInt32BE(bytes.readUInt32BE(0) + more);
        expect(faultOf(bytes.subarray(0, 4 + bytes.readUInt32BE(0)))).toBe('wrong-length');
      }),
    );
  });

  it('refuses an announced length before the frame arrives, and stays broken', () => {
    const decoder = new FrameDecoder();
    const bad = Uint8Array.from([0x7f, 0, 0, 0, 10]);
    expect(() => [...decoder.push(bad)]).toThrow(FrameError);
    expect(() => [...decoder.push(encodeFrame({ type: 'slot', granted: true }))]).toThrow(FrameError);
  });
});
