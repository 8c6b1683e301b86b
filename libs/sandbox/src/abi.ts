/**
 * The contract between the rewriter, which adds these to every admitted module, and the runner, which uses them.
 * Names that start with `__gleaner_` are reserved: a module that has them already is refused.
 */
export const ABI = {
  /** Exported own memory. */
  memory: '__gleaner_memory',
  /** Mutable i64 global: cycles left. Negative at a check stops the unit: all of the limit may be used. Host calls subtract their own charge. */
  cyclesLeft: '__gleaner_cycles',
  /** Mutable i32 global: why rewritten code executed its own `unreachable`; see {@link STOP}. */
  stop: '__gleaner_stop',
  /** Mutable i32 global: bytes of virtual call stack left; present only where functions can recurse. */
  stackLeft: '__gleaner_stack',
  /** Mutable i32 global: pages that the memory may have; `memory.grow` beyond returns -1. */
  pageLimit: '__gleaner_pages',
  /** The former `start` function, exported when there was one. */
  start: '__gleaner_start',
  /** Stepping apps: mutable globals 0..n-1 of the original module, exported as prefix + index, for snapshots. */
  globalPrefix: '__gleaner_global_',
} as const;

/** Values of the `stop` global. A trap with `none` is the app's own. `hostMemory`: the engine refused to grow below the limit. */
export const STOP = { none: 0, cycles: 1, stack: 2, hostMemory: 3 } as const;

/** Names rewriter + cost model + WASI behaviour together. Anything that can change a digest or a count is a new version. */
export const RUNTIME_VERSION = 'gleaner-3';
