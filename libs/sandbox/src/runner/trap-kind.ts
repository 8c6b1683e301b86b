import type { UnitTrapKind } from './types.js';

/**
 * What engines say about traps, V8's words first, then SpiderMonkey's and JavaScriptCore's.
 *
 * V8 has one message for a null entry and for a wrong signature in an indirect call, and SpiderMonkey has two: both are
 * `indirect-call-mismatch` everywhere, or hosts with different engines could never agree. (`null-function` stays
 * reserved for an engine-independent check.)
 */
const TRAPS: ReadonlyArray<readonly [RegExp, UnitTrapKind]> = [
  [
    /null function or function signature|indirect call (to null|signature)|call_indirect/,
    'indirect-call-mismatch',
  ],
  [/unreachable/i, 'unreachable'],
  [
    /table (index|access|element)|element segment|out of bounds table|index out of bounds.*table/i,
    'table-out-of-bounds',
  ],
  [/memory access|data segment|index out of bounds|out of bounds memory/i, 'memory-out-of-bounds'],
  [/(divide|remainder|division) by zero/i, 'integer-divide-by-zero'],
  [/divide result unrepresentable|integer overflow|division overflow/i, 'integer-overflow'],
  [/float unrepresentable|invalid conversion to integer|out of bounds trunc/i, 'invalid-conversion'],
];

/** The kind of a trap by its engine's message, null where the message is unknown: then it is not the app's fault. */
export function trapKindOf(message: string): UnitTrapKind | null {
  return TRAPS.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}
