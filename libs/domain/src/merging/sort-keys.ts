import { compareUtf8 } from './compare-text.js';
import { LineRefusedError } from './merge-error.js';

/** Values nested deeper are refused: writing them as text recurses, and every machine has another stack. */
const MAX_DEPTH = 1_000;

/** One field of a JSON line as it is sorted: absent, a number, or text. Integers beyond 2^53 are kept exactly. */
export type SortKey = null | number | bigint | string;

/**
 * The sort keys of a JSON line. All are absent for a line that is no JSON object. Strings sort by their content, other
 * values (booleans, null, arrays, objects) by their JSON text.
 *
 * @throws {LineRefusedError} for values nested more than {@link MAX_DEPTH} deep
 */
export function sortKeysOf(line: Uint8Array, fields: readonly string[]): readonly SortKey[] {
  const value = parseLine(line);
  return fields.map((field) =>
    value !== null && Object.hasOwn(value, field) ? sortKey(value[field]) : null,
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
  if (a === null || b === null) return 0;
  // Between numbers and BigInts these compare mathematical values.
  return a < b ? -1 : a > b ? 1 : 0;
}

function rank(key: SortKey): number {
  if (key === null) return 0;
  return typeof key === 'string' ? 2 : 1;
}

function sortKey(value: unknown): SortKey {
  if (typeof value === 'bigint' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    // Doubles beyond 2^53 are integers, and a BigInt compares exactly with those that were written out.
    return Number.isFinite(value) && !isExact(value) ? BigInt(value) : value;
  }
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
}

function parseLine(line: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(line));
    if (!isRecord(value)) return null;
    // Each level takes two bytes at least.
    if (line.length > 2 * MAX_DEPTH) refuseDeep(value);
    const isPrecise = Object.values(value).every((member) => typeof member !== 'number' || isExact(member));
    return isPrecise ? value : parsePrecisely(new TextDecoder().decode(line));
  } catch (error) {
    if (error instanceof LineRefusedError) throw error;
    return null;
  }
}

/** Members that are written as integers and that a double does not hold become BigInts. */
function parsePrecisely(text: string): Readonly<Record<string, unknown>> | null {
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source;
    return typeof value === 'number' && !isExact(value) && source !== undefined && /^-?\d+$/.test(source)
      ? BigInt(source)
      : value;
  };
  const value: unknown = JSON.parse(text, reviver);
  return isRecord(value) ? value : null;
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

function isExact(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
