import { SHAPES } from './vector-shapes.js';

const VECTOR_BYTES = 16;
const CANONICAL_F32 = 0x7fc0_0000;
const CANONICAL_F64 = 0x7ff8_0000_0000_0000n;

/** What a shuffle takes from; its lanes are the 16 bytes before `end`. */
export interface Shuffled {
  /** The shapes whose lanes it moves as a whole. */
  readonly shapes: number;
  /** The operands that it takes lanes from: 0, 1 or both. */
  readonly from: readonly number[];
}

export function shuffled(bytes: Uint8Array, end: number): Shuffled {
  const lanes = bytes.subarray(end - VECTOR_BYTES, end);
  const movesWhole = (laneBytes: number) =>
    lanes.every((lane, i) => {
      const first = lanes[i - (i % laneBytes)]!;
      return first % laneBytes === 0 && lane === first + (i % laneBytes);
    });
  return {
    shapes: (movesWhole(4) ? SHAPES.f32x4 : SHAPES.none) | (movesWhole(8) ? SHAPES.f64x2 : SHAPES.none),
    from: [0, 1].filter((operand) => lanes.some((lane) => lane >> 4 === operand)),
  };
}

/** The shapes in which a constant, the 16 bytes before `end`, holds no NaN but the canonical one. */
export function constantShapes(bytes: Uint8Array, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + end - VECTOR_BYTES, VECTOR_BYTES);
  const isF32 = [0, 4, 8, 12].every(
    (at) => !Number.isNaN(view.getFloat32(at, true)) || view.getUint32(at, true) === CANONICAL_F32,
  );
  const isF64 = [0, 8].every(
    (at) => !Number.isNaN(view.getFloat64(at, true)) || view.getBigUint64(at, true) === CANONICAL_F64,
  );
  return (isF32 ? SHAPES.f32x4 : SHAPES.none) | (isF64 ? SHAPES.f64x2 : SHAPES.none);
}
