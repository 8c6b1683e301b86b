import type { Merge } from '@gleaner/protocol';
import { compareBytes } from './compare-text.js';
import {
  addExactDecimals,
  formatExactDecimal,
  parseExactDecimal,
  type ExactDecimal,
} from './exact-decimal.js';
import { LineRefusedError } from './merge-error.js';
import { compareSortKeys, sortKeysOf, type SortKey } from './sort-keys.js';

/** How lines become items, in which total order they stand, and what becomes of equals. */
export interface MergeOrder<T> {
  /** @throws {LineRefusedError} with the reason */
  parse(line: Uint8Array): T;
  /** A line that {@link lineOf} made: what was combined may be longer than what {@link parse} takes. */
  reparse(line: Uint8Array): T;
  lineOf(item: T): Uint8Array;
  /** Depends on nothing but the items, so that the result does not depend on how the job was split. */
  compare(a: T, b: T): number;
  /** Associative and commutative on items that compare equal; null keeps both. */
  readonly combine: ((a: T, b: T) => T) | null;
}

interface KeyedLine {
  readonly line: Uint8Array;
  readonly keys: readonly SortKey[];
}

/** Lines by fields of their JSON, most significant first, then bytewise as a whole. */
export function lineOrder({ sortBy, unique }: Extract<Merge, { kind: 'lines' }>): MergeOrder<KeyedLine> {
  // A copy: a view would keep its whole piece alive for one line that stays.
  const parse = (line: Uint8Array): KeyedLine => ({
    line: line.slice(),
    keys: sortBy.length === 0 ? [] : sortKeysOf(line, sortBy),
  });
  return {
    parse,
    reparse: parse,
    lineOf: ({ line }) => line,
    compare: (a, b) => compareSortKeys(a.keys, b.keys) || compareBytes(a.line, b.line),
    combine: unique ? (a) => a : null,
  };
}

interface KeyedSum {
  readonly key: Uint8Array;
  readonly sum: ExactDecimal;
}

const TAB = 0x09;
/** Digits of one addend; a sum has hardly more before its point, and no more behind it. */
const MAX_VALUE_BYTES = 1000;

/** `key TAB value` lines: one line a key, keys bytewise, values summed exactly. */
export const sumOrder: MergeOrder<KeyedSum> = {
  parse(line) {
    const tab = line.indexOf(TAB);
    if (tab >= 0 && line.length - tab - 1 > MAX_VALUE_BYTES) {
      throw new LineRefusedError(`the number is longer than ${MAX_VALUE_BYTES} bytes`);
    }
    return this.reparse(line);
  },
  reparse(line) {
    const tab = line.indexOf(TAB);
    if (tab < 0) throw new LineRefusedError('is not KEY, a tab and a number');
    const text = new TextDecoder().decode(line.subarray(tab + 1));
    const sum = parseExactDecimal(text);
    if (!sum) {
      throw new LineRefusedError(
        `${JSON.stringify(text.slice(0, 40))} is not an integer or exact decimal such as 12 or -0.25 (floats with exponents cannot be summed exactly)`,
      );
    }
    return { key: line.slice(0, tab), sum };
  },
  lineOf({ key, sum }) {
    const value = new TextEncoder().encode(`\t${formatExactDecimal(sum)}`);
    const line = new Uint8Array(key.length + value.length);
    line.set(key);
    line.set(value, key.length);
    return line;
  },
  compare: (a, b) => compareBytes(a.key, b.key),
  combine: (a, b) => ({ key: a.key, sum: addExactDecimals(a.sum, b.sum) }),
};
