/** A feature that is not admitted, and how an app is built without it. */
interface RefusedFeature {
  readonly feature: string;
  readonly advice: string;
}

const EXCEPTIONS = {
  feature: 'exceptions',
  advice: 'build without -fwasm-exceptions and -mexception-handling, and without setjmp',
};
const TAIL_CALLS = { feature: 'tail calls', advice: 'build without -mtail-call' };
const THREADS = {
  feature: 'threads and atomics',
  advice: 'build without -pthread and -matomics, for one thread',
};
const GARBAGE_COLLECTION = {
  feature: 'typed function references or garbage collection',
  advice: 'use a compiler that brings its own memory management',
};

const OPCODES: ReadonlyArray<readonly [from: number, to: number, refused: RefusedFeature]> = [
  [0x06, 0x0a, EXCEPTIONS],
  [0x12, 0x15, TAIL_CALLS],
  [0x18, 0x19, EXCEPTIONS],
  [0x1f, 0x1f, EXCEPTIONS],
  [0xd3, 0xd6, GARBAGE_COLLECTION],
  [0xfb, 0xfb, GARBAGE_COLLECTION],
  [0xfe, 0xfe, THREADS],
];

/** Of section ids. */
const TAGS = 13;

const SHARED_MEMORY = {
  feature: 'a shared memory',
  advice: 'build without -pthread, and link without --shared-memory',
};
const LARGE_MEMORY = { feature: 'a 64-bit memory', advice: 'build for wasm32' };

/** What an opcode's first byte belongs to and what to do, as the end of a sentence; empty for an unknown one. */
export function whyOpcode(byte: number): string {
  return because(OPCODES.find(([from, to]) => byte >= from && byte <= to)?.[2]);
}

/** The same of a vector instruction beyond the table. */
export function whyRelaxedSimd(): string {
  return because({ feature: 'relaxed SIMD', advice: 'build without -mrelaxed-simd' });
}

export function whySection(id: number): string {
  return because(id === TAGS ? EXCEPTIONS : undefined);
}

/** The same of a limit's flags. */
export function whyLimits(flags: number): string {
  return because((flags & 4) === 4 ? LARGE_MEMORY : SHARED_MEMORY);
}

function because(refused: RefusedFeature | undefined): string {
  return refused === undefined ? '' : ` (${refused.feature}): ${refused.advice}`;
}
