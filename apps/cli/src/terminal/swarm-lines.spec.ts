import { jobSpec } from '@gleaner/protocol';
import { describe, expect, it } from 'vitest';
import { swarmLines } from './swarm-lines.js';

const TAPE = `sha256:${'a'.repeat(64)}`;
const spec = jobSpec.parse({
  name: 'night',
  app: 'seti@1',
  inputs: { tape: TAPE },
  split: [{ kind: 'range', name: 'k', from: 0, to: 1, step: 1 }],
});
const anInput = (changes: object) => ({
  blobId: TAPE,
  chunks: 48,
  chunksPerRun: 1,
  copies: [],
  minCopies: 2,
  averageCopies: 3.25,
  ...changes,
});

describe('swarmLines', () => {
  it('tells how many volunteers hold each input, and what that saved', () => {
    expect(swarmLines({ inputs: [anInput({})], savedBytes: 12_500_000 }, spec)).toEqual([
      '  tape: 48 chunks, on average 3.25 copies of each chunk among volunteers, 2 of the rarest',
      '  volunteers had 12.5 MB of inputs from each other',
    ]);
  });

  it('says nothing where there is no input to share, and nothing was shared', () => {
    expect(swarmLines({ inputs: [], savedBytes: 0 }, spec)).toEqual([]);
    expect(swarmLines({ inputs: [anInput({ chunks: 0 })], savedBytes: 0 }, spec)).toEqual([]);
    expect(swarmLines({ inputs: [anInput({ chunks: 1 })], savedBytes: 0 }, spec)).toEqual([
      expect.stringContaining('tape: 1 chunk,'),
    ]);
  });
});
