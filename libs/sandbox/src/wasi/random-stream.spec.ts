import { createCipheriv } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from './random-stream.js';

const aSeed = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** The same stream by OpenSSL: ChaCha20 with counter and nonce zero. */
function reference(seed: Uint8Array, bytes: number): Buffer {
  return createCipheriv('chacha20', seed, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

describe('RandomStream', () => {
  it('is the ChaCha20 key stream of its seed, however it is cut', () => {
    fc.assert(
      fc.property(aSeed, fc.array(fc.nat(200), { maxLength: 10 }), (seed, lengths) => {
        const stream = new RandomStream(Buffer.from(seed).toString('hex'));
        const parts = lengths.map((length) => {
          const part = new Uint8Array(length);
          stream.drawInto(part);
          return part;
        });
        const drawn = Buffer.concat(parts);
        expect(drawn).toEqual(reference(seed, drawn.length));
      }),
    );
  });

  it('goes on where a snapshot says that it was', () => {
    const seed = 'ab'.repeat(32);
    const whole = new Uint8Array(1000);
    new RandomStream(seed).drawInto(whole);
    const resumed = new RandomStream(seed);
    resumed.position = 777;
    const rest = new Uint8Array(223);
    resumed.drawInto(rest);
    expect(rest).toEqual(whole.subarray(777));
  });

  it('refuses a seed that is not 32 bytes of hex', () => {
    expect(() => new RandomStream('ab')).toThrow(TypeError);
  });
});
