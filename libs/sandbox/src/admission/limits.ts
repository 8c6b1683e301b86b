/** Bounds on what a module may contain; each is the name of a refusal rule's cause, and none is near what real apps need. */
export const ADMISSION_LIMITS = {
  moduleBytes: 32 * 1024 * 1024,
  types: 100_000,
  functions: 200_000,
  imports: 1_000,
  exports: 100_000,
  globals: 100_000,
  tables: 100,
  /** Entries of all tables together at instantiation. */
  tableEntries: 1_000_000,
  segments: 100_000,
  /** Parameters and locals of one function. */
  localsPerFunction: 20_000,
  /** Of the whole module: V8 and the passes spend time on each, and a few bytes can declare thousands. */
  localsTogether: 4_000_000,
  parametersOrResults: 128,
  /** Nesting of blocks in one function. */
  blockDepth: 10_000,
} as const;
