import { describe, expect, it } from 'vitest';
import { admitModule } from '@gleaner/sandbox/admission';
import { fuzzMutation, fuzzProgram, mutationSeeds } from './fuzz-sandbox-compare.js';
import { FLAVOURS } from './fuzz-sandbox-programs.js';

const FIRST_SEED = 7_000;

describe('a short run of the sandbox fuzzer', () => {
  it('gives random programs the same results and cycles with and without each option, in both tiers', () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 60; seed++) {
      expect(() => fuzzProgram(seed), `seed ${seed}`).not.toThrow();
    }
  });

  it('admits the modules of every flavour before they are mutated', () => {
    for (const { flavour, bytes } of mutationSeeds(5)) {
      const profile = flavour === 'functions' ? 'conformance' : 'app';
      const admission = admitModule(bytes, { profile });
      expect(admission.admitted ? null : admission.errors, flavour).toBeNull();
    }
  });

  it('admits or refuses mutated modules, and nothing else', () => {
    const seeds = mutationSeeds(5);
    const admitted = { command: 0, stepping: 0, functions: 0 };
    const refused = { command: 0, stepping: 0, functions: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 900; seed++) {
      const { flavour, isAdmitted } = fuzzMutation(seeds, seed);
      (isAdmitted ? admitted : refused)[flavour]++;
    }
    for (const flavour of FLAVOURS) {
      expect(admitted[flavour], flavour).toBeGreaterThan(0);
      expect(refused[flavour], flavour).toBeGreaterThan(0);
    }
  });
});
