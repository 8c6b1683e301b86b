import type { CountLimit } from './byte-reader.js';

/**
 * Bounds on what a module may contain; each is the name of a refusal rule's cause, and none is near what real apps need.
 * The parser holds to them before it makes objects of what a module's few bytes announce.
 */
export const ADMISSION_LIMITS = {
  moduleBytes: 32 * 1024 * 1024,
  /** Engines keep every distinct type for as long as their process runs, and abort at a million. */
  types: 20_000,
  /** Parameters and results of one type. */
  parametersOrResults: 128,
  /** Of all types. */
  parametersAndResultsTogether: 1_000_000,
  functions: 200_000,
  imports: 1_000,
  exports: 100_000,
  globals: 100_000,
  tables: 100,
  /** Only one is admitted, which another rule says. */
  memories: 100,
  /** Entries of all tables together at instantiation. */
  tableEntries: 1_000_000,
  segments: 100_000,
  customSections: 10_000,
  /** Code of one function: what V8 compiles. */
  functionBytes: 7_654_321,
  /** Declarations of locals, each of any number of one type. */
  localGroupsTogether: 1_000_000,
  /** Parameters and locals of one function. */
  localsPerFunction: 20_000,
  /** Of the whole module: V8 and the passes spend time on each, and a few bytes can declare thousands. */
  localsTogether: 4_000_000,
  /** Nesting of blocks in one function. */
  blockDepth: 10_000,
  /** On the stack of one function at once: as many fill the virtual stack. An engine that runs out of memory aborts. */
  operandsPerFunction: 32_768,
  /** That calls, blocks and conditional branches of one function hand on: two bytes can hand on hundreds. */
  operandsMovedPerFunction: 4_000_000,
  operandsMovedTogether: 32_000_000,
  /** What volunteers download; metering may make a module several times larger. */
  rewrittenBytes: 64 * 1024 * 1024,
} as const;

/** A bound as the reader of a vector's count takes it. */
export function countLimit(what: keyof typeof ADMISSION_LIMITS): CountLimit {
  return { what, most: ADMISSION_LIMITS[what] };
}
