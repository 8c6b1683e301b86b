import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DiskSource } from '../runner/disk-source.js';
import { sourceOfPieces, type ByteSource } from './byte-source.js';

const directory = mkdtempSync(join(tmpdir(), 'gleaner-source-'));
afterAll(() => rmSync(directory, { recursive: true }));

const somePieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 12 });

/** Every piece in a file of its own, between other bytes. */
function onDisk(pieces: readonly Uint8Array[]): DiskSource {
  return new DiskSource(
    pieces.map((piece, i) => {
      const path = join(directory, `${i}`);
      writeFileSync(path, Buffer.concat([Buffer.from('before'), piece, Buffer.from('after')]));
      return { path, offset: 6, length: piece.length };
    }),
  );
}

describe.each<[string, (pieces: readonly Uint8Array[]) => ByteSource]>([
  ['sourceOfPieces', sourceOfPieces],
  ['DiskSource', onDisk],
])('%s', (_name, sourceOf) => {
  it('shows its pieces as one, whatever is asked of it', () => {
    fc.assert(
      fc.property(somePieces, fc.array(fc.tuple(fc.nat(600), fc.nat(600))), (pieces, reads) => {
        const whole = Buffer.concat(pieces);
        const source = sourceOf(pieces);
        expect(source.size).toBe(whole.length);
        for (const [a, b] of reads) {
          const [from, to] = [Math.min(a, b), Math.max(a, b)].map((at) => Math.min(at, whole.length));
          const target = new Uint8Array((to ?? 0) - (from ?? 0));
          source.read(from ?? 0, target);
          expect(Buffer.from(target)).toEqual(whole.subarray(from, to));
        }
        source.close?.();
      }),
      { numRuns: 50 },
    );
  });
});

describe('DiskSource', () => {
  it('opens nothing before the first read, and says which file is too short', () => {
    const path = join(directory, 'short');
    const source = new DiskSource([{ path, offset: 0, length: 10 }]);
    writeFileSync(path, 'four');
    expect(() => source.read(0, new Uint8Array(10))).toThrow(/short ended before byte 10/);
    source.close();
  });

  it('reads requests larger than its block', () => {
    const bytes = Uint8Array.from({ length: 500_000 }, (_, i) => i * 7);
    const path = join(directory, 'large');
    writeFileSync(path, bytes);
    const source = new DiskSource([{ path, offset: 0, length: bytes.length }]);
    const target = new Uint8Array(bytes.length - 3);
    source.read(3, target);
    expect(target).toEqual(bytes.subarray(3));
    source.close();
  });
});
