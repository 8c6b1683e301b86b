/**
 * Complex samples lie in groups of four: four real parts, then four imaginary parts, each one SIMD vector. A position
 * in a buffer of such groups is 8 bytes a sample, as if samples were interleaved one by one.
 */

export const GROUP: i32 = 4;
export const SAMPLE_BYTES: i32 = 8;
export const GROUP_BYTES: usize = GROUP * SAMPLE_BYTES;
/** From a group's real parts to its imaginary parts. */
export const IMAGINARY: usize = 16;

/** Allocates a buffer of complex samples, aligned for vectors. */
export function allocateSamples(count: i32): usize {
  return heap.alloc(count * SAMPLE_BYTES);
}

// @ts-ignore: decorator
@inline
export function storeSample(buffer: usize, index: i32, re: f32, im: f32): void {
  const address = buffer + (index >> 2) * GROUP_BYTES + ((index & 3) << 2);
  store<f32>(address, re);
  store<f32>(address, im, IMAGINARY);
}
