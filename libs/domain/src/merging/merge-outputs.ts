import type { Merge } from '@gleaner/protocol';
import { ExternalSort } from './external-sort.js';
import { lineBatches, piecesOfLines } from './line-batches.js';
import { LineRefusedError, MergeError } from './merge-error.js';
import { lineOrder, sumOrder, type MergeOrder } from './merge-order.js';
import type { RunStore } from './run-store.js';

/** One canonical output of one unit; a unit with several has one of these for each. */
export interface UnitOutput {
  /** The unit's place in its job. */
  readonly unitIndex: number;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface MergeOptions {
  /** Where sorted runs go that do not fit the buffer. */
  readonly runs: RunStore;
  readonly signal?: AbortSignal;
  /** Lines held in memory while sorting, in bytes. */
  readonly bufferBytes?: number;
  readonly fanIn?: number;
  /** A longer line is refused. */
  readonly maxLineBytes?: number;
}

const DEFAULT_BUFFER_BYTES = 64 * 1024 * 1024;
const DEFAULT_FAN_IN = 64;
const DEFAULT_MAX_LINE_BYTES = 1024 * 1024;

/**
 * Folds canonical outputs, in unit order, into a job's answer, streaming and in bounded memory. It depends on the outputs
 * alone, never on who computed them or when; for `lines` and `sum` not on how they were cut into units either.
 *
 * - `concat`: the bytes one after the other.
 * - `lines`: sorted by fields of their JSON (see {@link compareSortKeys}), then bytewise; a last line without a newline
 *   gets one; `unique` drops repeated lines.
 * - `sum`: `key TAB value` lines, values added exactly by key, keys in byte order.
 *
 * @throws {MergeError} for lines too long, and for `sum` lines that are no sum
 */
export async function* mergeOutputs(
  merge: Merge,
  outputs: AsyncIterable<UnitOutput>,
  options: MergeOptions,
): AsyncGenerator<Uint8Array> {
  switch (merge.kind) {
    case 'concat':
      yield* concatenate(outputs, options.signal);
      return;
    case 'lines':
      yield* sortLines(lineOrder(merge), outputs, options);
      return;
    case 'sum':
      yield* sortLines(sumOrder, outputs, options);
  }
}

async function* concatenate(
  outputs: AsyncIterable<UnitOutput>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const { content } of outputs) {
    for await (const piece of content) {
      signal?.throwIfAborted();
      yield piece;
    }
  }
}

async function* sortLines<T>(
  order: MergeOrder<T>,
  outputs: AsyncIterable<UnitOutput>,
  options: MergeOptions,
): AsyncGenerator<Uint8Array> {
  const { runs, signal, bufferBytes = DEFAULT_BUFFER_BYTES, fanIn = DEFAULT_FAN_IN } = options;
  const sort = new ExternalSort(order, { runs, bufferBytes, fanIn, ...(signal && { signal }) });
  try {
    for await (const output of outputs) await addOutput(sort, output, options);
    yield* piecesOfLines(sort.sorted());
  } finally {
    await sort.close();
  }
}

async function addOutput<T>(sort: ExternalSort<T>, output: UnitOutput, options: MergeOptions): Promise<void> {
  let line = 1;
  try {
    for await (const batch of lineBatches(output.content, options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES)) {
      options.signal?.throwIfAborted();
      for (const bytes of batch) {
        sort.add(bytes);
        line += 1;
        if (sort.isFull) await sort.makeRoom();
      }
    }
  } catch (error) {
    if (!(error instanceof LineRefusedError)) throw error;
    throw new MergeError({ unitIndex: output.unitIndex, line, reason: error.message });
  }
}
