import { describe, expect, it } from 'vitest';
import { seedOfUnit, type SeedParts } from './unit-seed.js';

const parts: SeedParts = {
  moduleSha256: 'aa'.repeat(32),
  args: ['1', '2'],
  env: { A: '1', B: '2' },
  inputs: {
    x: { blobId: 'sha256:x', offset: 0, length: 5 },
    y: { blobId: 'sha256:y', offset: 5, length: 9 },
  },
};

describe('seedOfUnit', () => {
  it('is 32 bytes of hex, whatever the order in which names were added', () => {
    const turned = {
      ...parts,
      env: { B: '2', A: '1' },
      inputs: { y: parts.inputs['y']!, x: parts.inputs['x']! },
    };
    expect(seedOfUnit(parts)).toMatch(/^[0-9a-f]{64}$/);
    expect(seedOfUnit(turned)).toBe(seedOfUnit(parts));
  });

  it.each<[string, Partial<SeedParts>]>([
    ['module', { moduleSha256: 'bb'.repeat(32) }],
    ['arguments', { args: ['12'] }],
    ['environment', { env: { A: '1', B: '3' } }],
    ['window', { inputs: { ...parts.inputs, x: { blobId: 'sha256:x', offset: 1, length: 5 } } }],
    ['content', { inputs: { ...parts.inputs, x: { blobId: 'sha256:z', offset: 0, length: 5 } } }],
  ])('differs with the %s', (_what, change) => {
    expect(seedOfUnit({ ...parts, ...change })).not.toBe(seedOfUnit(parts));
  });
});
