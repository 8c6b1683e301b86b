import type { UnitTrapKind } from './types.js';

/**
 * What engines say about traps, V8's words first, then SpiderMonkey's and JavaScriptCore's.
 *
 * The kind is part of a result's digest, so it is no finer than what the coarsest engine tells apart: older versions of
 * V8 have one message for a null entry and a wrong signature, and all of them one for a NaN and a too large number that
 * become an integer; SpiderMonkey has one for an index outside a table and outside the memory, and one for a division
 * and a conversion that overflow.
 */
const TRAPS: ReadonlyArray<readonly [RegExp, UnitTrapKind]> = [
  [
    /null function|function signature|indirect call (to null|signature)|call_indirect to /i,
    'indirect-call-mismatch',
  ],
  [/unreachable/i, 'unreachable'],
  [/(divide|remainder|division) by zero/i, 'integer-divide-by-zero'],
  [
    /divide result unrepresentable|(integer|division) overflow|float unrepresentable|invalid conversion to integer|out of bounds trunc/i,
    'integer-overflow',
  ],
  [/out of bounds/i, 'memory-out-of-bounds'],
];

/** The kind of a trap by its engine's message, null where the message is unknown: then it is not the app's fault. */
export function trapKindOf(message: string): UnitTrapKind | null {
  return TRAPS.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}
