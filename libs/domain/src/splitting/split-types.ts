import type { UnitParams, UnitWindows } from '@gleaner/protocol';

/** Where a splitter learns about a job's inputs, by their names in the job file. */
export interface SplitInputs {
  /** Size of an input in bytes. */
  sizeBytes(input: string): number;
  /** Exactly `length` bytes from `offset`, in pieces of any size. Offsets and lengths in bytes. */
  read(input: string, offset: number, length: number): AsyncIterable<Uint8Array>;
}

/** One work unit to be. */
export interface UnitToCreate {
  /** Place in the job, from 0: the order in which results are merged. */
  readonly index: number;
  readonly params: UnitParams;
  readonly windows: UnitWindows;
}

/** One value of one split: what it contributes to the units that have it. */
export interface SplitPoint {
  /** Values of the split's own placeholders. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Bytes of the split's input, where it has one. */
  readonly window: { readonly offset: number; readonly length: number } | null;
}

/** One split made ready to run. */
export interface SplitFactor {
  readonly name: string;
  /** The input that it cuts, or null. */
  readonly input: string | null;
  /** Number of points where it is known without reading the input, else null. */
  readonly count: number | null;
  /** Points in order, from the point `from`. The signal ends long reads between points. */
  points(from: number, signal?: AbortSignal): AsyncIterable<SplitPoint>;
}
