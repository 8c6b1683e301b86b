import { parentPort, workerData } from 'node:worker_threads';
import { fuzzMutation, fuzzProgram, mutationSeeds } from './fuzz-sandbox-compare.js';
import { KERNELS, readKernel } from './sandbox-kernels.js';
import type { Flavour } from './fuzz-sandbox-programs.js';

/** What the worker tells: the case it is about to run, a failure, or its totals. */
export type FuzzMessage =
  | { readonly kind: 'at'; readonly seed: number }
  | {
      readonly kind: 'failure';
      readonly seed: number;
      readonly what: 'mutation' | 'program';
      readonly message: string;
    }
  | { readonly kind: 'done'; readonly totals: FuzzTotals };

export interface FuzzTotals {
  readonly mutations: number;
  /** Mutated modules that were admitted, by what they were for. */
  readonly admitted: Readonly<Record<Flavour, number>>;
  readonly programs: number;
  readonly failures: number;
}

export interface FuzzSettings {
  readonly seconds: number;
  readonly seed: number;
}

const MUTATIONS_PER_PROGRAM = 50;
const GENERATED_SEEDS_PER_FLAVOUR = 50;
/** Small modules are mutated more often in the same time, and a change in them matters more. */
const LARGEST_SEED_BYTES = 2_000;

async function fuzz({ seconds, seed: firstSeed }: FuzzSettings): Promise<void> {
  const kernels = await Promise.all(KERNELS.map(({ name }) => readKernel(name)));
  const seeds = [
    ...kernels.map((bytes) => ({ flavour: 'command' as const, bytes })),
    ...mutationSeeds(GENERATED_SEEDS_PER_FLAVOUR),
  ].filter(({ bytes }) => bytes.length <= LARGEST_SEED_BYTES);
  const totals = {
    mutations: 0,
    admitted: { command: 0, stepping: 0, functions: 0 },
    programs: 0,
    failures: 0,
  };
  const tell = (message: FuzzMessage) => parentPort?.postMessage(message);
  const attempt = (seed: number, what: 'mutation' | 'program', run: () => void) => {
    try {
      run();
    } catch (error) {
      totals.failures++;
      tell({
        kind: 'failure',
        seed,
        what,
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  };
  const end = performance.now() + seconds * 1000;
  for (let seed = firstSeed; performance.now() < end; seed++) {
    tell({ kind: 'at', seed });
    attempt(seed, 'program', () => fuzzProgram(seed));
    totals.programs++;
    for (let i = 0; i < MUTATIONS_PER_PROGRAM; i++) {
      const mutationSeed = (seed * MUTATIONS_PER_PROGRAM + i) | 0;
      attempt(mutationSeed, 'mutation', () => {
        const { flavour, isAdmitted } = fuzzMutation(seeds, mutationSeed);
        if (isAdmitted) totals.admitted[flavour]++;
      });
      totals.mutations++;
    }
  }
  tell({ kind: 'done', totals });
}

await fuzz(workerData as FuzzSettings);
