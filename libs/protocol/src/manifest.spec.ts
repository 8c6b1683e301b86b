import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from './limits.js';
import { chunkSizeBytes, chunksOfWindow, manifest, manifestBytes, type Manifest } from './manifest.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const aHash = fc.stringMatching(/^[0-9a-f]{64}$/);

function aManifest(size: number): Manifest {
  const chunk = chunkSizeBytes(size);
  return {
    v: 1,
    alg: 'sha256',
    size,
    chunk,
    hashes: Array<string>(Math.ceil(size / chunk)).fill('0'.repeat(64)),
  };
}

describe('chunkSizeBytes', () => {
  it('is clamp(pow2ceil(size / 2048), 256 KiB, 4 MiB)', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(8 * 1024 * MIB), fc.integer({ min: 0, max: LIMITS.blobBytes })), (size) => {
        const ideal = 2 ** Math.ceil(Math.log2(Math.max(1, size / 2048)));
        expect(chunkSizeBytes(size)).toBe(Math.min(4 * MIB, Math.max(256 * KIB, ideal)));
      }),
    );
    expect(chunkSizeBytes(512 * MIB)).toBe(256 * KIB);
    expect(chunkSizeBytes(512 * MIB + 1)).toBe(512 * KIB);
  });
});

describe('manifest', () => {
  it('accepts one hash a chunk at the prescribed size, an empty blob included', () => {
    for (const size of [0, 1, 256 * KIB, 256 * KIB + 1, LIMITS.blobBytes]) {
      expect(manifest.safeParse(aManifest(size)).success).toBe(true);
    }
  });

  it.each<[string, Partial<Record<keyof Manifest, unknown>>, string]>([
    ['another chunk size', { chunk: 512 * KIB }, 'chunk'],
    ['a hash too few', { hashes: [] }, 'hashes'],
    ['a size beyond the bound', { size: LIMITS.blobBytes + 1 }, 'size'],
    ['a size below nothing', { size: -1, hashes: [] }, 'size'],
    ['a size in parts of bytes', { size: 99.5 }, 'size'],
    ['an upper-case hash', { hashes: ['A'.repeat(64)] }, 'hashes'],
  ])('refuses %s and says where', (_what, about, path) => {
    const parsed = manifest.safeParse({ ...aManifest(100), ...about });
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.some((issue) => issue.path[0] === path)).toBe(true);
  });

  it('refuses unknown fields', () => {
    expect(manifest.safeParse({ ...aManifest(1), extra: 1 }).success).toBe(false);
  });

  it('has one byte form, which reads back as the same manifest', () => {
    fc.assert(
      fc.property(fc.nat(3 * 256 * KIB), aHash, (size, hash) => {
        const value = { ...aManifest(size), hashes: aManifest(size).hashes.map(() => hash) };
        const text = new TextDecoder().decode(manifestBytes(value));
        expect(manifest.parse(JSON.parse(text))).toEqual(value);
        expect(text.startsWith('{"alg":"sha256","chunk":')).toBe(true);
      }),
    );
  });
});

describe('chunksOfWindow', () => {
  it('covers the window and nothing more', () => {
    const value = aManifest(10 * 256 * KIB - 5);
    fc.assert(
      fc.property(fc.nat(value.size - 1), fc.nat(value.size), (offset, wanted) => {
        const length = Math.min(wanted, value.size - offset);
        const { start, end } = chunksOfWindow(value, offset, length);
        if (length === 0) expect(end).toBe(start);
        else {
          expect(start * value.chunk <= offset && offset < (start + 1) * value.chunk).toBe(true);
          expect((end - 1) * value.chunk < offset + length && offset + length <= end * value.chunk).toBe(
            true,
          );
        }
        expect(end).toBeLessThanOrEqual(value.hashes.length);
      }),
    );
  });
});
