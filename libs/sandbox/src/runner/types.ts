/** How a unit ended; see SANDBOX "Outcomes". `infrastructure` never counts against the app. */
export type UnitOutcome = 'ok' | 'exit' | 'trap' | 'cycle-limit' | 'output-limit' | 'infrastructure';

/** Kinds that every engine tells apart, since results must agree on them; the message says more. */
export type UnitTrapKind =
  | 'unreachable'
  /** An index outside the memory, a table or a segment. */
  | 'memory-out-of-bounds'
  /** A null entry of a table, or one of another type. */
  | 'indirect-call-mismatch'
  | 'integer-divide-by-zero'
  /** A quotient, or a float that becomes an integer (NaN, too), beyond the integer's range. */
  | 'integer-overflow'
  | 'stack-exhausted';

/** A window of a file on the host's disk, or bytes in memory, shown to the app read-only as `/input/NAME`. */
export type InputContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Chunk buffers in order, viewed where they are, never joined. */
  | { readonly kind: 'pieces'; readonly pieces: readonly Uint8Array[] }
  /** Parts of files on disk in order, read when the app reads; not in browsers. Offsets and lengths in bytes. */
  | {
      readonly kind: 'files';
      readonly pieces: ReadonlyArray<{
        readonly path: string;
        readonly offset: number;
        readonly length: number;
      }>;
    };

export interface UnitLimits {
  readonly maxCycles: bigint;
  readonly memoryMiB: number;
  /** All declared outputs together, in bytes. */
  readonly outputBytes: number;
  /** Wall clock of the whole run; beyond it the process is killed and the outcome is `infrastructure`. */
  readonly wallMs: number;
}

export interface UnitToRun {
  /** The rewritten module's bytes, or its path on disk (read by the sandbox process, which caches the compiled module). */
  readonly module:
    { readonly kind: 'bytes'; readonly bytes: Uint8Array } | { readonly kind: 'file'; readonly path: string };
  /** SHA-256 (hex) of the rewritten module: checked, and the key of the compiled-module cache. */
  readonly moduleSha256: string;
  /** argv after argv[0]. */
  readonly appName: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, InputContent>>;
  /** `stdout` and names in /output. */
  readonly outputs: readonly string[];
  readonly limits: UnitLimits;
  /** 32 bytes, hex: seeds the app's randomness; from {@link seedOfUnit}. */
  readonly seed: string;
}

export interface UnitOutput {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

export interface UnitResult {
  readonly outcome: UnitOutcome;
  readonly exitCode: number;
  readonly trapKind: UnitTrapKind | null;
  readonly cycles: bigint;
  /** Declared outputs that exist, in byte order of their names; a declared output that was not written is empty. */
  readonly outputs: readonly UnitOutput[];
  /** Kept tail of stderr, at most 4 KiB. */
  readonly stderr: string;
  /** Reason in words, for `infrastructure` and traps. */
  readonly message: string | null;
  /** The sandbox ended under the unit, such as by a system that is short of memory: another one may go on from its snapshot. */
  readonly isSandboxGone?: true;
  /** Cycles that a resumed snapshot had used already; absent where the run began at the beginning. */
  readonly resumedCycles?: bigint;
  /** Snapshots taken and the longest time between two steps that they cost; absent where none was taken. */
  readonly snapshots?: { readonly count: number; readonly longestPauseMs: number };
  readonly cpuMs: number;
  readonly wallMs: number;
}

/**
 * Where a stepping app's state is kept between steps, so that a killed run can go on. A snapshot that is missing, damaged,
 * or of another unit, module or runtime version is ignored: the unit then starts from its beginning.
 */
export type CheckpointOptions = {
  /** Time between two snapshots, by default a minute; a young unit's come sooner, so that little is lost. */
  readonly everyMs?: number;
} & (
  | {
      /** A file that the sandbox process writes, resumes from, and removes at the unit's end; not in browsers. */
      readonly path: string;
    }
  | {
      /** An earlier snapshot. */
      readonly from: Uint8Array | null;
      readonly onSnapshot: (snapshot: Uint8Array) => void;
    }
);

export interface RunOptions {
  /** Ends the run at once; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What the app says of its progress, at most ten times a second. */
  readonly onProgress?: (progress: {
    readonly permille: number | null;
    readonly cycles: bigint | null;
  }) => void;
  /** Pictures that the app shows, at most ten a second, and none of more than 256 KiB. */
  readonly onFrame?: (bytes: Uint8Array) => void;
  readonly checkpoint?: CheckpointOptions;
  /** The state can no longer be kept in its file, and why, in the system's words; null: it can be again. */
  readonly onCheckpointTrouble?: (reason: string | null) => void;
  /**
   * Ends the run as soon as its state is kept: a stepping unit with a checkpoint takes a snapshot at its next step, paused
   * or not. The promise then rejects with this signal's reason. A unit that cannot be kept goes on; `signal` ends it.
   */
  readonly suspend?: AbortSignal;
}
