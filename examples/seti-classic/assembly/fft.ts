import { LONGEST_LOG2, SHORTEST_LOG2 } from "./grid";
import { GROUP_BYTES, IMAGINARY, SAMPLE_BYTES } from "./layout";

/**
 * Fourier transforms with exp(+i…) of 2^5 to 2^17 samples in single precision, four at a time.
 *
 * Decimation in frequency in place: one radix-2 stage where log2 of the length is odd, radix-4 stages down to 16, and a
 * last pass over every 16 neighbours. That pass never stores its result: a search needs the largest power only, and
 * reads the whole spectrum in the rare case that it holds something. Longer blocks recurse until one fits the cache.
 */

/** Transforms up to this length are done stage by stage: 32 KiB stay in a first-level cache. */
const CACHED_LOG2: i32 = 12;
const LAST_PASS_LOG2: i32 = 4;
const LAST_PASS_BYTES: usize = (1 << LAST_PASS_LOG2) * SAMPLE_BYTES;

/** Address of each length's twiddle factors: of one (radix 2) or three (radix 4) vectors for every four samples. */
const twiddles = new StaticArray<usize>(LONGEST_LOG2 + 1);

/** Computes the twiddle factors; call once. */
export function prepareTransforms(): void {
  for (let log2 = SHORTEST_LOG2; log2 <= LONGEST_LOG2; log2++) {
    const isOdd = (log2 & 1) == 1;
    const powers = isOdd ? 1 : 3;
    const count = 1 << (log2 - (isOdd ? 1 : 2));
    const table = heap.alloc(count * powers * SAMPLE_BYTES);
    for (let n = 0; n < count; n++) {
      for (let power = 1; power <= powers; power++) {
        const angle = 2 * Math.PI * <f64>((n * power) & ((1 << log2) - 1)) / <f64>(1 << log2);
        const address = table + ((n >> 2) * powers + power - 1) * GROUP_BYTES + ((n & 3) << 2);
        store<f32>(address, <f32>Math.cos(angle));
        store<f32>(address, <f32>Math.sin(angle), IMAGINARY);
      }
    }
    twiddles[log2] = table;
  }
}

/**
 * Transforms 2^log2 samples from `source` to `target` (which may be the same) up to the last pass, and returns the
 * largest power in the spectrum, bin 0 included.
 */
export function transformToPeak(source: usize, target: usize, log2: i32): f32 {
  let peaks: v128;
  if ((log2 & 1) == 1) {
    stage2(source, target, log2);
    const half = target + (1 << (log2 - 1)) * SAMPLE_BYTES;
    peaks = f32x4.pmax(transformBlock(target, target, log2 - 1), transformBlock(half, half, log2 - 1));
  } else {
    peaks = transformBlock(source, target, log2);
  }
  const first = max(f32x4.extract_lane(peaks, 0), f32x4.extract_lane(peaks, 1));
  const second = max(f32x4.extract_lane(peaks, 2), f32x4.extract_lane(peaks, 3));
  return max(first, second);
}

/** Writes the powers of all bins in order, as f32, of the transform that {@link transformToPeak} left in `block`. */
export function readPowers(block: usize, log2: i32, powers: usize): void {
  const rows = 1 << (log2 - LAST_PASS_LOG2);
  for (let row = 0; row < rows; row++) {
    lastPass(block + <usize>row * LAST_PASS_BYTES, true);
    const lowest = lowestBinOfRow(row, log2);
    for (let i = 0; i < 1 << LAST_PASS_LOG2; i++) {
      store<f32>(powers + ((lowest + rows * i) << 2), load<f32>(rowPowers + (i << 2)));
    }
  }
}

/** The remaining stages of a block whose log2 is even; returns the largest powers, four candidates. */
function transformBlock(source: usize, target: usize, log2: i32): v128 {
  if (log2 > CACHED_LOG2) {
    stage4(source, target, log2, 1);
    const quarterBytes: usize = (1 << (log2 - 2)) * SAMPLE_BYTES;
    let peaks = f32x4.splat(0);
    for (let quarter = target; quarter < target + 4 * quarterBytes; quarter += quarterBytes) {
      peaks = f32x4.pmax(peaks, transformBlock(quarter, quarter, log2 - 2));
    }
    return peaks;
  }
  const end = target + (1 << log2) * SAMPLE_BYTES;
  for (let stage = log2; stage > LAST_PASS_LOG2; stage -= 2) {
    stage4(source, target, stage, 1 << (log2 - stage));
    source = target;
  }
  let peaks = f32x4.splat(0);
  for (let row = target; row < end; row += LAST_PASS_BYTES) peaks = f32x4.pmax(peaks, lastPass(row, false));
  return peaks;
}

/** One radix-2 stage: even bins to the first half, odd bins to the second. */
function stage2(source: usize, target: usize, log2: i32): void {
  const halfBytes: usize = (1 << (log2 - 1)) * SAMPLE_BYTES;
  let twiddle = twiddles[log2];
  for (let offset: usize = 0; offset < halfBytes; offset += GROUP_BYTES) {
    const a = source + offset;
    const b = a + halfBytes;
    const ar = v128.load(a);
    const ai = v128.load(a, IMAGINARY);
    const br = v128.load(b);
    const bi = v128.load(b, IMAGINARY);
    const dr = f32x4.sub(ar, br);
    const di = f32x4.sub(ai, bi);
    const wr = v128.load(twiddle);
    const wi = v128.load(twiddle, IMAGINARY);
    const to = target + offset;
    v128.store(to, f32x4.add(ar, br));
    v128.store(to, f32x4.add(ai, bi), IMAGINARY);
    v128.store(to + halfBytes, f32x4.sub(f32x4.mul(dr, wr), f32x4.mul(di, wi)));
    v128.store(to + halfBytes, f32x4.add(f32x4.mul(dr, wi), f32x4.mul(di, wr)), IMAGINARY);
    twiddle += GROUP_BYTES;
  }
}

/** One radix-4 stage over neighbouring blocks of 2^log2 samples: bins 4j + q of each go to its quarter q. */
function stage4(source: usize, target: usize, log2: i32, blocks: i32): void {
  const quarterBytes: usize = (1 << (log2 - 2)) * SAMPLE_BYTES;
  const end = source + <usize>blocks * quarterBytes * 4;
  const shift = target - source;
  for (let block = source; block < end; block += quarterBytes * 4) {
    let twiddle = twiddles[log2];
    for (let p0 = block; p0 < block + quarterBytes; p0 += GROUP_BYTES) {
      const p1 = p0 + quarterBytes;
      const p2 = p1 + quarterBytes;
      const p3 = p2 + quarterBytes;
      const r0 = v128.load(p0);
      const r2 = v128.load(p2);
      const i0 = v128.load(p0, IMAGINARY);
      const i2 = v128.load(p2, IMAGINARY);
      const r1 = v128.load(p1);
      const r3 = v128.load(p3);
      const i1 = v128.load(p1, IMAGINARY);
      const i3 = v128.load(p3, IMAGINARY);
      const sum02r = f32x4.add(r0, r2);
      const sum02i = f32x4.add(i0, i2);
      const sum13r = f32x4.add(r1, r3);
      const sum13i = f32x4.add(i1, i3);
      v128.store(p0 + shift, f32x4.add(sum02r, sum13r));
      v128.store(p0 + shift, f32x4.add(sum02i, sum13i), IMAGINARY);
      const y2r = f32x4.sub(sum02r, sum13r);
      const y2i = f32x4.sub(sum02i, sum13i);
      const difference02r = f32x4.sub(r0, r2);
      const difference02i = f32x4.sub(i0, i2);
      const difference13r = f32x4.sub(r1, r3);
      const difference13i = f32x4.sub(i1, i3);
      storeProduct(p1 + shift, f32x4.sub(difference02r, difference13i), f32x4.add(difference02i, difference13r), twiddle);
      storeProduct(p2 + shift, y2r, y2i, twiddle + GROUP_BYTES);
      storeProduct(
        p3 + shift, f32x4.add(difference02r, difference13i), f32x4.sub(difference02i, difference13r),
        twiddle + 2 * GROUP_BYTES,
      );
      twiddle += 3 * GROUP_BYTES;
    }
  }
}

// @ts-ignore: decorator
@inline
function storeProduct(address: usize, re: v128, im: v128, twiddle: usize): void {
  const wr = v128.load(twiddle);
  const wi = v128.load(twiddle, IMAGINARY);
  v128.store(address, f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)));
  v128.store(address, f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)), IMAGINARY);
}

/** Powers of the row that {@link lastPass} was last asked to keep: 16 f32, lowest bin first. */
const rowPowers: usize = heap.alloc((1 << LAST_PASS_LOG2) * 4);

const W16_1R = f32x4(1, 0.92387953251128675613, 0.70710678118654752440, 0.38268343236508977173);
const W16_1I = f32x4(0, 0.38268343236508977173, 0.70710678118654752440, 0.92387953251128675613);
const W16_2R = f32x4(1, 0.70710678118654752440, 0, -0.70710678118654752440);
const W16_2I = f32x4(0, 0.70710678118654752440, 1, 0.70710678118654752440);
const W16_3R = f32x4(1, 0.38268343236508977173, -0.70710678118654752440, -0.92387953251128675613);
const W16_3I = f32x4(0, 0.92387953251128675613, 0.70710678118654752440, -0.38268343236508977173);

/** The last 16 points: two radix-4 stages in registers and the powers; returns the largest, four candidates. */
// @ts-ignore: decorator
@inline
function lastPass(row: usize, isKept: bool): v128 {
  let r0 = v128.load(row);
  let i0 = v128.load(row, IMAGINARY);
  let r1 = v128.load(row, GROUP_BYTES);
  let i1 = v128.load(row, GROUP_BYTES + IMAGINARY);
  let r2 = v128.load(row, 2 * GROUP_BYTES);
  let i2 = v128.load(row, 2 * GROUP_BYTES + IMAGINARY);
  let r3 = v128.load(row, 3 * GROUP_BYTES);
  let i3 = v128.load(row, 3 * GROUP_BYTES + IMAGINARY);

  let sum02r = f32x4.add(r0, r2);
  let sum02i = f32x4.add(i0, i2);
  let sum13r = f32x4.add(r1, r3);
  let sum13i = f32x4.add(i1, i3);
  let difference02r = f32x4.sub(r0, r2);
  let difference02i = f32x4.sub(i0, i2);
  let difference13r = f32x4.sub(r1, r3);
  let difference13i = f32x4.sub(i1, i3);
  r0 = f32x4.add(sum02r, sum13r);
  i0 = f32x4.add(sum02i, sum13i);
  let yr = f32x4.sub(difference02r, difference13i);
  let yi = f32x4.add(difference02i, difference13r);
  r1 = f32x4.sub(f32x4.mul(yr, W16_1R), f32x4.mul(yi, W16_1I));
  i1 = f32x4.add(f32x4.mul(yr, W16_1I), f32x4.mul(yi, W16_1R));
  yr = f32x4.sub(sum02r, sum13r);
  yi = f32x4.sub(sum02i, sum13i);
  r2 = f32x4.sub(f32x4.mul(yr, W16_2R), f32x4.mul(yi, W16_2I));
  i2 = f32x4.add(f32x4.mul(yr, W16_2I), f32x4.mul(yi, W16_2R));
  yr = f32x4.add(difference02r, difference13i);
  yi = f32x4.sub(difference02i, difference13r);
  r3 = f32x4.sub(f32x4.mul(yr, W16_3R), f32x4.mul(yi, W16_3I));
  i3 = f32x4.add(f32x4.mul(yr, W16_3I), f32x4.mul(yi, W16_3R));

  // Transposed, lane q of vector n is element n of quarter q, and the last stage again works on whole vectors.
  let low = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  let high = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  let low2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  let high2 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  r0 = v128.shuffle<f64>(low, low2, 0, 2);
  r1 = v128.shuffle<f64>(low, low2, 1, 3);
  r2 = v128.shuffle<f64>(high, high2, 0, 2);
  r3 = v128.shuffle<f64>(high, high2, 1, 3);
  low = v128.shuffle<f32>(i0, i1, 0, 4, 1, 5);
  high = v128.shuffle<f32>(i0, i1, 2, 6, 3, 7);
  low2 = v128.shuffle<f32>(i2, i3, 0, 4, 1, 5);
  high2 = v128.shuffle<f32>(i2, i3, 2, 6, 3, 7);
  i0 = v128.shuffle<f64>(low, low2, 0, 2);
  i1 = v128.shuffle<f64>(low, low2, 1, 3);
  i2 = v128.shuffle<f64>(high, high2, 0, 2);
  i3 = v128.shuffle<f64>(high, high2, 1, 3);

  sum02r = f32x4.add(r0, r2);
  sum02i = f32x4.add(i0, i2);
  sum13r = f32x4.add(r1, r3);
  sum13i = f32x4.add(i1, i3);
  difference02r = f32x4.sub(r0, r2);
  difference02i = f32x4.sub(i0, i2);
  difference13r = f32x4.sub(r1, r3);
  difference13i = f32x4.sub(i1, i3);
  const power0 = power(f32x4.add(sum02r, sum13r), f32x4.add(sum02i, sum13i));
  const power1 = power(f32x4.sub(difference02r, difference13i), f32x4.add(difference02i, difference13r));
  const power2 = power(f32x4.sub(sum02r, sum13r), f32x4.sub(sum02i, sum13i));
  const power3 = power(f32x4.add(difference02r, difference13i), f32x4.sub(difference02i, difference13r));
  if (isKept) {
    v128.store(rowPowers, power0);
    v128.store(rowPowers, power1, 16);
    v128.store(rowPowers, power2, 32);
    v128.store(rowPowers, power3, 48);
  }
  return f32x4.pmax(f32x4.pmax(power0, power1), f32x4.pmax(power2, power3));
}

// @ts-ignore: decorator
@inline
function power(re: v128, im: v128): v128 {
  return f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im));
}

/** The lowest bin of a row of 16; the others follow at a distance of the number of rows. */
function lowestBinOfRow(row: i32, log2: i32): i32 {
  let position = row << LAST_PASS_LOG2;
  let bin = 0;
  let weight = 1;
  let rest = log2;
  while (rest > LAST_PASS_LOG2) {
    const digits = rest & 1 ? 1 : 2;
    rest -= digits;
    bin += weight * (position >> rest);
    position &= (1 << rest) - 1;
    weight <<= digits;
  }
  return bin;
}
