import { SLOT_BYTES } from './bridge.js';
import type { Value } from './script.js';

/** How a result compares with what the script expects. `nan-payload`: both are NaN, of different bits. */
export type Comparison = 'equal' | 'different' | 'nan-payload';

const LANE_BYTES = { i8: 1, i16: 2, i32: 4, i64: 8, f32: 4, f64: 8 } as const;
const NULL = 'null';

/** Writes a number's or vector's bits where a bridge takes its operand. */
export function writeOperand(view: DataView, slot: number, value: Value): void {
  const at = slot * SLOT_BYTES;
  if (value.type === 'v128') {
    const bytes = LANE_BYTES[value.lane_type];
    value.value.forEach((lane, i) => writeBits(view, at + i * bytes, bytes, BigInt(lane)));
  } else {
    const bytes = value.type === 'i64' || value.type === 'f64' ? 8 : 4;
    writeBits(view, at, bytes, BigInt(value.value ?? '0'));
  }
}

function writeBits(view: DataView, at: number, bytes: number, bits: bigint): void {
  for (let i = 0; i < bytes; i++) view.setUint8(at + i, Number((bits >> BigInt(8 * i)) & 0xffn));
}

function readBits(view: DataView, at: number, bytes: number): bigint {
  let bits = 0n;
  for (let i = bytes - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(view.getUint8(at + i));
  return bits;
}

/** A reference as the script writes it: null, or the number of a host reference. */
export function referenceOf(value: Value): unknown {
  return value.value === NULL ? null : value.value;
}

export function compareReference(actual: unknown, expected: Value): Comparison {
  if (expected.value === undefined) return actual === null ? 'different' : 'equal';
  return actual === referenceOf(expected) ? 'equal' : 'different';
}

/** Compares the bits that a bridge left for a number or vector. */
export function compareResult(view: DataView, slot: number, expected: Value): Comparison {
  const at = slot * SLOT_BYTES;
  if (expected.type !== 'v128') {
    const bytes = expected.type === 'i64' || expected.type === 'f64' ? 8 : 4;
    return compareBits(readBits(view, at, bytes), expected.value ?? '0', bytes, expected.type);
  }
  const bytes = LANE_BYTES[expected.lane_type];
  return worst(
    expected.value.map((lane, i) =>
      compareBits(readBits(view, at + i * bytes, bytes), lane, bytes, expected.lane_type),
    ),
  );
}

export function worst(comparisons: readonly Comparison[]): Comparison {
  if (comparisons.includes('different')) return 'different';
  return comparisons.includes('nan-payload') ? 'nan-payload' : 'equal';
}

interface NanBits {
  readonly infinity: bigint;
  readonly quiet: bigint;
  readonly sign: bigint;
}

const NAN_BITS: Readonly<Record<number, NanBits>> = {
  4: { infinity: 0x7f80_0000n, quiet: 0x0040_0000n, sign: 0x8000_0000n },
  8: { infinity: 0x7ff0_0000_0000_0000n, quiet: 0x0008_0000_0000_0000n, sign: 0x8000_0000_0000_0000n },
};

function compareBits(actual: bigint, expected: string, bytes: number, type: string): Comparison {
  const format = NAN_BITS[bytes];
  if (format === undefined) return actual === BigInt(expected) ? 'equal' : 'different';
  const { infinity, quiet, sign } = format;
  const magnitude = actual & ~sign;
  if (expected === 'nan:canonical') return magnitude === (infinity | quiet) ? 'equal' : 'different';
  if (expected === 'nan:arithmetic')
    return (magnitude & (infinity | quiet)) === (infinity | quiet) ? 'equal' : 'different';
  const wanted = BigInt(expected);
  if (actual === wanted) return 'equal';
  // An integer that a reinterpretation or a load gave is the bits of a NaN, too.
  const bothNaN = magnitude > infinity && (wanted & ~sign) > infinity;
  const isCanonical = actual === (infinity | quiet);
  return bothNaN && (type.startsWith('f') || isCanonical) ? 'nan-payload' : 'different';
}
