/** Returns the next number of a sequence, from 0 (inclusive) to 1 (exclusive). */
export type RandomSource = () => number;

/**
 * A seeded sequence that is the same on every machine: sfc32 with 32-bit integers only.
 *
 * Source: C. Doty-Humphrey, PractRand (sfc32, public domain).
 */
export function seededRandom(seed: number): RandomSource {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  // Neighbouring seeds differ in few bits; a few rounds spread them over the whole state.
  for (let round = 0; round < 16; round++) next();
  return next;
}
