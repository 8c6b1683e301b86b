import { defaultCrypto } from '@libp2p/noise/crypto';
import fc from 'fast-check';
import { Uint8ArrayList } from 'uint8arraylist';
import { describe, expect, it } from 'vitest';
import { noiseCrypto } from './noise-crypto.js';

/** Around what the library does itself, and as long as a message of Noise may be. */
const lengths = fc.oneof(fc.nat({ max: 2500 }), fc.constantFrom(65_519, 65_535, 70_000));
const messages = fc.record({
  length: lengths,
  cuts: fc.array(fc.nat({ max: 70_000 }), { maxLength: 4 }),
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  ad: fc.uint8Array({ maxLength: 40 }),
});

describe('the cipher of Noise', () => {
  it('seals and opens as the library does, however the bytes are cut', () => {
    fc.assert(
      fc.property(messages, ({ length, cuts, key, nonce, ad }) => {
        const text = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
        const sealed = defaultCrypto.chaCha20Poly1305Encrypt(text.slice(), nonce, ad, key).subarray();
        expect(equal(noiseCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray(), sealed)).toBe(
          true,
        );
        const inPieces = noiseCrypto.chaCha20Poly1305Encrypt(cut(text, cuts), nonce, ad, key).subarray();
        expect(equal(inPieces, sealed)).toBe(true);
        expect(
          equal(noiseCrypto.chaCha20Poly1305Decrypt(sealed.slice(), nonce, ad, key).subarray(), text),
        ).toBe(true);
        const opened = noiseCrypto.chaCha20Poly1305Decrypt(cut(sealed, cuts), nonce, ad, key);
        expect(equal(opened.subarray(), text)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('opens nothing that was changed by a bit, or sealed for something else', () => {
    fc.assert(
      fc.property(messages, fc.nat(), ({ length, key, nonce, ad }, at) => {
        const sealed = noiseCrypto.chaCha20Poly1305Encrypt(new Uint8Array(length), nonce, ad, key).subarray();
        const open = (bytes: Uint8Array, its = { key, nonce, ad }) =>
          noiseCrypto.chaCha20Poly1305Decrypt(bytes.slice(), its.nonce, its.ad, its.key);
        expect(() => open(flipped(sealed, at))).toThrow();
        expect(() => open(sealed, { key: flipped(key, at), nonce, ad })).toThrow();
        expect(() => open(sealed, { key, nonce: flipped(nonce, at), ad })).toThrow();
        expect(() => open(sealed, { key, nonce, ad: Uint8Array.of(...ad, 1) })).toThrow();
      }),
    );
  });
});

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8ArrayList {
  const list = new Uint8ArrayList();
  let from = 0;
  for (const to of [...cuts.map((at) => at % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)) {
    list.append(bytes.slice(from, to));
    from = to;
  }
  return list;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const changed = Uint8Array.from(bytes);
  const index = at % bytes.length;
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
