import { compareUtf8 } from './compare-text.js';
import { compareExactNumbers, parseExactNumber, type ExactNumber } from './exact-number.js';
import { LineRefusedError } from './merge-error.js';

/** Values nested deeper are refused: writing them as text recurses, and every machine has another stack. */
const MAX_DEPTH = 1_000;

/**
 * What a number may look like of which its double does not say everything: 16 digits or more, or an exponent near the ends of
 * what doubles hold. All others of one double are the same number.
 */
const BEYOND_DOUBLES = /[\d.]{16}|\d[eE][+-]?\d{3}/;

/** A number of which its double does not say everything. */
interface LongNumber {
  readonly double: number;
  readonly exact: ExactNumber;
}

/** One field of a JSON line as it is sorted: absent, a number, or text. */
export type SortKey = null | number | LongNumber | string;

/**
 * The sort keys of a JSON line. All are absent for a line that is no JSON object. Strings sort by their content, other
 * values (booleans, null, arrays, objects) by their JSON text.
 *
 * @throws {LineRefusedError} for values nested more than {@link MAX_DEPTH} deep
 */
export function sortKeysOf(line: Uint8Array, fields: readonly string[]): readonly SortKey[] {
  const text = new TextDecoder().decode(line);
  const members = parseLine(text);
  if (members === null) return fields.map(() => null);
  // Each level takes two bytes at least.
  if (line.length > 2 * MAX_DEPTH) refuseDeep(members);
  const sources = BEYOND_DOUBLES.test(text) ? numberSources(text) : undefined;
  return fields.map((field) =>
    Object.hasOwn(members, field) ? sortKey(members[field], sources?.get(field)) : null,
  );
}

/**
 * Absent fields first, then numbers by value, then text by its UTF-8 bytes. Numbers stand before all text, because "by
 * value where both are numbers, else as text" alone is no order: 2 < 10, 10 < "1x" and "1x" < 2.
 */
export function compareSortKeys(a: readonly SortKey[], b: readonly SortKey[]): number {
  for (let at = 0; at < a.length; at += 1) {
    const difference = compareSortKey(a[at] ?? null, b[at] ?? null);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareSortKey(a: SortKey, b: SortKey): number {
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b);
  const rankOfA = rank(a);
  const rankOfB = rank(b);
  if (rankOfA !== rankOfB) return rankOfA - rankOfB;
  if (a === null || b === null || typeof a === 'string' || typeof b === 'string') return 0;
  const [doubleOfA, doubleOfB] = [doubleOf(a), doubleOf(b)];
  // Rounding keeps the order: only of the same double there is more to know.
  if (doubleOfA !== doubleOfB) return doubleOfA < doubleOfB ? -1 : 1;
  return typeof a === 'number' && typeof b === 'number' ? 0 : compareExactNumbers(exactOf(a), exactOf(b));
}

function rank(key: SortKey): number {
  if (key === null) return 0;
  return typeof key === 'string' ? 2 : 1;
}

function doubleOf(key: number | LongNumber): number {
  return typeof key === 'number' ? key : key.double;
}

function exactOf(key: number | LongNumber): ExactNumber {
  // What has at most 15 digits is printed with them.
  return typeof key === 'number' ? parseExactNumber(String(key)) : key.exact;
}

/** @param source how the number is written, where its double may not say everything */
function sortKey(value: unknown, source: string | undefined): SortKey {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return JSON.stringify(value);
  return source === undefined ? value : { double: value, exact: parseExactNumber(source) };
}

function parseLine(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** How those members of a JSON object that are numbers are written, where that may be more than their doubles say. */
function numberSources(text: string): ReadonlyMap<string, string> {
  const sources = new Map<unknown, Map<string, string>>();
  function note(this: unknown, key: string, value: unknown, context?: { readonly source?: string }): unknown {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined || !BEYOND_DOUBLES.test(source)) return value;
    const ofHolder = sources.get(this) ?? new Map<string, string>();
    sources.set(this, ofHolder.set(key, source));
    return value;
  }
  // Members are looked at before the object that holds them, which stays the same.
  const outermost: unknown = JSON.parse(text, note);
  return sources.get(outermost) ?? new Map<string, string>();
}

function refuseDeep(value: object): void {
  let level: object[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw new LineRefusedError(`nested more than ${MAX_DEPTH} levels deep`);
    const below: object[] = [];
    for (const outer of level) {
      for (const inner of Object.values(outer) as unknown[]) {
        if (typeof inner === 'object' && inner !== null) below.push(inner);
      }
    }
    level = below;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
