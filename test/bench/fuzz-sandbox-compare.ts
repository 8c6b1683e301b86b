import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import {
  ABI,
  type AdmissionOptions,
  STOP,
  VIRTUAL_STACK_BYTES,
  admitModule,
} from '@gleaner/sandbox/admission';
import { onHostileEngine } from '@gleaner/sandbox/testing/hostile-engine';
import { mutate } from './fuzz-sandbox-mutations.js';
import { type Flavour, FLAVOURS, randomModule, randomProgram } from './fuzz-sandbox-programs.js';
import { Random } from './fuzz-sandbox-random.js';

const AMPLE_CYCLES = 1n << 50n;
/** Far above what any mutated module takes; only a loss of linearity reaches it. */
const SLOWEST_ADMISSION_MS = 5_000;
const ARGUMENT = 5;

/** A module to mutate and the profile that would admit it as it is. */
export interface MutationSeed {
  readonly flavour: Flavour;
  readonly bytes: Uint8Array;
}

/** Modules of each flavour, all of them admitted. */
export function mutationSeeds(perFlavour: number): MutationSeed[] {
  return FLAVOURS.flatMap((flavour) =>
    Array.from({ length: perFlavour }, (_, i) => ({ flavour, bytes: randomModule(new Random(i), flavour) })),
  );
}

export interface MutationOutcome {
  readonly flavour: Flavour;
  readonly isAdmitted: boolean;
}

/** Admits one mutated module: it must be refused with a reason, or become a module that the engine accepts. */
export function fuzzMutation(seeds: readonly MutationSeed[], seed: number): MutationOutcome {
  const random = new Random(seed);
  const { flavour, bytes: original } = random.pick(seeds);
  const bytes = mutate(original, random);
  const begin = performance.now();
  const admission = admitModule(bytes, { profile: flavour === 'functions' ? 'conformance' : 'app' });
  const ms = performance.now() - begin;
  if (ms > SLOWEST_ADMISSION_MS) throw new Error(`admission took ${ms.toFixed(0)} ms`);
  if (admission.admitted) {
    if (!WebAssembly.validate(admission.module as BufferSource))
      throw new Error('the rewritten module is not valid');
    return { flavour, isAdmitted: true };
  }
  const [error] = admission.errors;
  if (error === undefined || error.rule === '' || error.message === '')
    throw new Error('refused without a reason');
  if (error.rule === 'rewriter-defect') throw new Error(error.message);
  return { flavour, isAdmitted: false };
}

/** What can be seen of a run. */
interface Observation {
  readonly result: string;
  readonly memory: string;
  readonly cycles: bigint | null;
}

/** Runs one random program with and without each option, and in both tiers of the engine; throws where they differ. */
export function fuzzProgram(seed: number): void {
  const random = new Random(seed);
  const withFloats = random.chance(70);
  const { plain, counted } = randomProgram(random, { withFloats });
  const reference = run(counted, 'count');
  const metered = runRewritten(plain, { nan: false });
  const everything = runRewritten(plain, {});
  expectSame('metered and counted by itself', counts(metered), counts(reference));
  expectSame(
    'metered with and without the stack limit',
    metered,
    runRewritten(plain, { nan: false, depth: false }),
  );
  if (!withFloats) {
    expectSame('rewritten and raw', observed(metered), observed(run(plain, null)));
    expectSame('with and without canonical NaN', everything, metered);
    return;
  }
  expectSame(
    'with and without metering',
    observed(everything),
    observed(runRewritten(plain, { metering: false })),
  );
  expectSame('optimised and baseline code', everything, runRewritten(plain, {}, 'baseline'));
  for (const choice of [seed, seed + 1])
    expectSame(
      'engines that choose NaNs as they like',
      everything,
      runRewritten(plain, {}, 'optimised', choice),
    );
}

/** A trap may leave instructions charged that were not executed. */
function counts({ result, cycles }: Observation): unknown {
  return result.startsWith('trap') ? null : cycles;
}

const observed = ({ result, memory }: Observation) => ({ result, memory });

function expectSame(what: string, actual: unknown, expected: unknown): void {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}` : item));
  if (text(actual) !== text(expected))
    throw new Error(`${what} differ: ${text(actual)} and ${text(expected)}`);
}

/** With `nanChoice`, on an engine that chooses the bits of NaNs by that seed. */
function runRewritten(
  plain: Uint8Array,
  options: AdmissionOptions,
  tier: Tier = 'optimised',
  nanChoice?: number,
): Observation {
  const admission = admitModule(plain, { ...options, profile: 'conformance' });
  if (!admission.admitted) throw new Error(`refused: ${admission.errors[0]?.message}`);
  const module = nanChoice === undefined ? admission.module : onHostileEngine(admission.module, nanChoice);
  return run(module, options.metering === false ? null : ABI.cyclesLeft, tier);
}

type Tier = 'optimised' | 'baseline';
const TIER_FLAGS: Readonly<Record<Tier, readonly string[]>> = {
  optimised: ['--no-liftoff'],
  baseline: ['--liftoff', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'],
};

function run(bytes: Uint8Array, counter: string | null, tier: Tier = 'optimised'): Observation {
  for (const flag of TIER_FLAGS[tier]) setFlagsFromString(flag);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(distinct(bytes, tier)));
  const set = (name: string, value: number | bigint) => {
    const global = exports[name];
    if (global instanceof WebAssembly.Global) global.value = value;
  };
  set(ABI.cyclesLeft, AMPLE_CYCLES);
  set(ABI.stackLeft, VIRTUAL_STACK_BYTES);
  const result = outcome(exports);
  const memory = new Uint8Array((exports['memory'] as WebAssembly.Memory).buffer);
  const count = counter === null ? undefined : exports[counter];
  const value = count instanceof WebAssembly.Global ? (count.value as bigint) : null;
  const cycles = value === null ? null : counter === ABI.cyclesLeft ? AMPLE_CYCLES - value : value;
  // After a trap neither the count nor the memory is part of a result.
  const trapped = result.startsWith('trap');
  const hash = trapped ? '' : createHash('sha256').update(memory).digest('hex');
  return { result, memory: hash, cycles: trapped ? null : cycles };
}

function outcome(exports: WebAssembly.Exports): string {
  try {
    return String((exports['run'] as (a: number, b: number) => bigint)(ARGUMENT, 1.5));
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    const stop = exports[ABI.stop];
    const reason = stop instanceof WebAssembly.Global ? Number(stop.value) : STOP.none;
    return `trap: ${error.message} (${reason})`;
  }
}

/** The engine shares code between equal modules; a custom section keeps the tiers apart. */
function distinct(bytes: Uint8Array, tier: Tier): Uint8Array<ArrayBuffer> {
  const name = [...Buffer.from(tier)];
  return Uint8Array.from([...bytes, 0, name.length + 1, name.length, ...name]);
}
