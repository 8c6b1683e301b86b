import { parentPort, workerData } from 'node:worker_threads';
import { fuzzMutation, fuzzProgram } from './fuzz-sandbox-compare.js';
import { KERNELS, readKernel } from './sandbox-kernels.js';
import { randomProgram } from './fuzz-sandbox-programs.js';
import { Random } from './fuzz-sandbox-random.js';

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
  readonly admitted: number;
  readonly programs: number;
  readonly failures: number;
}

export interface FuzzSettings {
  readonly seconds: number;
  readonly seed: number;
}

const MUTATIONS_PER_PROGRAM = 200;
const GENERATED_SEEDS = 100;
/** Small modules are mutated more often in the same time, and a change in them matters more. */
const LARGEST_SEED_BYTES = 2_000;

async function fuzz({ seconds, seed: firstSeed }: FuzzSettings): Promise<void> {
  const kernels = await Promise.all(KERNELS.map(({ name }) => readKernel(name)));
  const generated = Array.from(
    { length: GENERATED_SEEDS },
    (_, i) => randomProgram(new Random(i), { withFloats: true }).plain,
  );
  const seeds = [...kernels, ...generated].filter(({ length }) => length <= LARGEST_SEED_BYTES);
  const totals = { mutations: 0, admitted: 0, programs: 0, failures: 0 };
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
        if (fuzzMutation(seeds, mutationSeed) === 'admitted') totals.admitted++;
      });
      totals.mutations++;
    }
  }
  tell({ kind: 'done', totals });
}

await fuzz(workerData as FuzzSettings);
