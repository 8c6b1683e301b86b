import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitmapOf, chunksOf } from './chunk-copies.js';
import { planReplicas, type ReplicaCandidate } from './plan-replicas.js';

const KIB = 1024;
const aFile = (
  manifestId: string,
  copies: readonly number[],
  own: ReplicaCandidate['own'] = null,
): ReplicaCandidate => ({
  manifestId,
  chunkBytes: 256 * KIB,
  sizeBytes: copies.length * 256 * KIB,
  copies,
  own,
});
const room = { freeBytes: 10 * 256 * KIB, holds: new Set<string>(), mostFiles: 8 };
const draw = () => 0.5;

describe('replicas for willing hosts', () => {
  it('are of chunks with fewer than two copies, of the rarest file first', () => {
    const plans = planReplicas(
      [aFile('safe', [2, 3]), aFile('rare', [1, 5, 1]), aFile('lost', [1, 0])],
      room,
      draw,
    );
    expect(plans.map(({ manifestId, chunks }) => [manifestId, chunksOf(chunks, 3)])).toEqual([
      ['lost', [0, 1]],
      ['rare', [0, 2]],
    ]);
  });

  it('are given to a host that has another part of the file, and never of what it has itself', () => {
    const holds = new Set(['shared']);
    const plans = planReplicas(
      [aFile('shared', [1, 1, 0, 2], bitmapOf(4, [0, 2]))],
      { ...room, holds },
      draw,
    );
    expect(plans.map(({ chunks }) => chunksOf(chunks, 4))).toEqual([[1]]);
    expect(planReplicas([aFile('shared', [1, 1], bitmapOf(2, [0, 1]))], { ...room, holds }, draw)).toEqual(
      [],
    );
  });

  it('are not given to a host that does not say what it holds of the file, nor beyond its room', () => {
    expect(planReplicas([aFile('held', [0])], { ...room, holds: new Set(['held']) }, draw)).toEqual([]);
    expect(planReplicas([aFile('large', [1, 0, 1])], { ...room, freeBytes: 256 * KIB }, draw)).toMatchObject([
      { count: 1, chunks: Uint8Array.of(0b10) },
    ]);
    expect(planReplicas([aFile('large', [0])], { ...room, freeBytes: 1000 }, draw)).toEqual([]);
  });

  it('never fill more than was offered, whatever is endangered', () => {
    const files = fc.array(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 20 }), { maxLength: 20 });
    fc.assert(
      fc.property(
        files,
        fc.nat({ max: 30 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999 })),
        (copies, free, stream) => {
          const freeBytes = free * 200 * KIB;
          const candidates = copies.map((counts, at) => aFile(`file ${at}`, counts));
          const plans = planReplicas(candidates, { ...room, freeBytes }, () => Number(stream.next().value));
          expect(plans.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(freeBytes);
          expect(plans.length).toBeLessThanOrEqual(room.mostFiles);
          for (const { manifestId, chunks, count } of plans) {
            const counts = candidates.find((file) => file.manifestId === manifestId)?.copies ?? [];
            const offered = chunksOf(chunks, counts.length);
            expect(offered).toHaveLength(count);
            expect(offered.every((chunk) => (counts[chunk] ?? 0) < 2)).toBe(true);
          }
        },
      ),
    );
  });
});
