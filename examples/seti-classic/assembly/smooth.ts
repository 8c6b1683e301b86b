import { SAMPLES, Tape } from "./tape";
import { storeSample } from "./layout";

/** Samples smoothed together. */
const CHUNK: i32 = 32768;
/** Bins over which the baseline is averaged. */
const WINDOW: i32 = 8192;

/**
 * Writes the tape's samples to `target`, with the receiver's uneven response taken out: in each chunk every bin is
 * divided by the root of half the mean power of the bins around it. In double precision, once for a unit.
 */
export function smoothBaseline(tape: Tape, target: usize): void {
  const re = new StaticArray<f64>(CHUNK);
  const im = new StaticArray<f64>(CHUNK);
  const cumulated = new StaticArray<f64>(CHUNK + 1);
  const twiddles = unitRoots(CHUNK);
  for (let start = 0; start < SAMPLES; start += CHUNK) {
    for (let i = 0; i < CHUNK; i++) {
      unchecked(re[i] = tape.inPhase(start + i));
      unchecked(im[i] = tape.quadrature(start + i));
    }
    transform(re, im, twiddles, 1);
    flatten(re, im, cumulated);
    transform(re, im, twiddles, -1);
    for (let i = 0; i < CHUNK; i++) {
      storeSample(target, start + i, <f32>(unchecked(re[i]) / CHUNK), <f32>(unchecked(im[i]) / CHUNK));
    }
  }
}

function flatten(re: StaticArray<f64>, im: StaticArray<f64>, cumulated: StaticArray<f64>): void {
  // In frequency order the negative half comes first, so position p is bin p ^ (CHUNK / 2).
  for (let p = 0; p < CHUNK; p++) {
    const bin = p ^ (CHUNK / 2);
    const power = unchecked(re[bin] * re[bin] + im[bin] * im[bin]);
    unchecked(cumulated[p + 1] = cumulated[p] + power);
  }
  for (let p = 0; p < CHUNK; p++) {
    const bin = p ^ (CHUNK / 2);
    const first = max(0, min(p - WINDOW / 2, CHUNK - WINDOW));
    const mean = unchecked(cumulated[first + WINDOW] - cumulated[first]) / WINDOW;
    const scale = mean > 0 ? 1 / Math.sqrt(mean / 2) : 0;
    unchecked(re[bin] *= scale);
    unchecked(im[bin] *= scale);
  }
}

/** cos and sin of 2πj/length for j < length/2, interleaved. */
function unitRoots(length: i32): StaticArray<f64> {
  const roots = new StaticArray<f64>(length);
  for (let j = 0; j < length / 2; j++) {
    const angle = 2 * Math.PI * <f64>j / <f64>length;
    roots[2 * j] = Math.cos(angle);
    roots[2 * j + 1] = Math.sin(angle);
  }
  return roots;
}

/** In-place Fourier transform with exp(sign * i…), unscaled; radix 2, decimation in time. */
function transform(re: StaticArray<f64>, im: StaticArray<f64>, roots: StaticArray<f64>, sign: f64): void {
  const length = re.length;
  for (let i = 0, j = 0; i < length; i++) {
    if (i < j) {
      const r = unchecked(re[i]);
      const q = unchecked(im[i]);
      unchecked(re[i] = re[j]);
      unchecked(im[i] = im[j]);
      unchecked(re[j] = r);
      unchecked(im[j] = q);
    }
    let bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
  }
  for (let half = 1; half < length; half <<= 1) {
    const stride = length / half;
    for (let start = 0; start < length; start += half * 2) {
      for (let k = 0; k < half; k++) {
        const wr = unchecked(roots[k * stride]);
        const wi = unchecked(roots[k * stride + 1]) * sign;
        const a = start + k;
        const b = a + half;
        const br = unchecked(re[b] * wr - im[b] * wi);
        const bi = unchecked(re[b] * wi + im[b] * wr);
        unchecked(re[b] = re[a] - br);
        unchecked(im[b] = im[a] - bi);
        unchecked(re[a] += br);
        unchecked(im[a] += bi);
      }
    }
  }
}
