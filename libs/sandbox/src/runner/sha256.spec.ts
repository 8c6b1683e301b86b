import { hash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sha256, sha256HexOf } from './sha256.js';

describe('Sha256', () => {
  it('gives the known digest of "abc" (FIPS 180-4)', () => {
    expect(sha256HexOf(new TextEncoder().encode('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it("agrees with the platform's for any bytes in any parts", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (parts) => {
        const digest = new Sha256();
        for (const part of parts) digest.update(part);
        expect(digest.digestHex()).toBe(hash('sha256', Buffer.concat(parts)));
      }),
    );
  });
});
