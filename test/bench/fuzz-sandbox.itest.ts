import { describe, expect, it } from 'vitest';
import { fuzzMutation, fuzzProgram } from './fuzz-sandbox-compare.js';
import { randomProgram } from './fuzz-sandbox-programs.js';
import { Random } from './fuzz-sandbox-random.js';

const FIRST_SEED = 7_000;

describe('a short run of the sandbox fuzzer', () => {
  it('gives random programs the same results and cycles with and without each option, in both tiers', () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 60; seed++) {
      expect(() => fuzzProgram(seed), `seed ${seed}`).not.toThrow();
    }
  });

  it('admits or refuses mutated modules, and nothing else', () => {
    const seeds = Array.from(
      { length: 10 },
      (_, i) => randomProgram(new Random(i), { withFloats: true }).plain,
    );
    const outcomes = { admitted: 0, refused: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 500; seed++) outcomes[fuzzMutation(seeds, seed)]++;
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.admitted).toBeGreaterThan(0);
  });
});
