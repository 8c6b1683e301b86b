import { PHASE_UNIT_TURNS } from "./grid";
import { GROUP, GROUP_BYTES, IMAGINARY } from "./layout";

/** log2 of the phases in the table; the nearest one is off by at most 2^-15 turns, far below the noise of the tape. */
const TABLE_LOG2: i32 = 14;
const TABLE_LENGTH: i32 = 1 << TABLE_LOG2;
/** Bytes of a phase's cosine and sine. */
const PHASOR_LOG2_BYTES: i32 = 3;
const INDEX_SHIFT: i64 = 64 - TABLE_LOG2;
/** Half a table step: added once, it turns truncation into rounding. */
const HALF_STEP: u64 = 1 << (63 - TABLE_LOG2);

const table: usize = heap.alloc(TABLE_LENGTH << PHASOR_LOG2_BYTES);

/** Fills the table of phasors; call once. */
export function prepareChirp(): void {
  for (let i = 0; i < TABLE_LENGTH; i++) {
    const angle = 2 * Math.PI * <f64>i / <f64>TABLE_LENGTH;
    store<f32>(table + (i << PHASOR_LOG2_BYTES), <f32>Math.cos(angle));
    store<f32>(table + (i << PHASOR_LOG2_BYTES), <f32>Math.sin(angle), 4);
  }
}

/**
 * Multiplies `count` samples of a tape, from sample `first` on, by exp(iπ·c·t²) and writes them to `target`.
 *
 * The phase is an integer in units of 2^-64 turns, so that it wraps by itself and its quadratic growth is two additions a
 * sample, without any error that could grow: every chirp index and every block gives the same bits, wherever a unit
 * began.
 */
export function dechirp(tape: usize, target: usize, first: i32, count: i32, chirpIndex: i32): void {
  const rate = <u64><i64>Math.round(PHASE_UNIT_TURNS * 18446744073709551616.0) * <u64><i64>chirpIndex;
  const n = <u64>first;
  let phase = rate * n * n + HALF_STEP;
  // (n + 1)^2 - n^2 = 2n + 1, which grows by 2.
  let slope = rate * (2 * n + 1);
  const curvature = rate * 2;
  let from = tape + <usize>first * (GROUP_BYTES / GROUP);
  const end = target + <usize>count * (GROUP_BYTES / GROUP);
  for (let to = target; to < end; to += GROUP_BYTES) {
    const a = phasorAddress(phase);
    phase += slope;
    slope += curvature;
    const b = phasorAddress(phase);
    phase += slope;
    slope += curvature;
    const c = phasorAddress(phase);
    phase += slope;
    slope += curvature;
    const d = phasorAddress(phase);
    phase += slope;
    slope += curvature;
    const ab = v128.load64_lane(b, v128.load64_zero(a), 1);
    const cd = v128.load64_lane(d, v128.load64_zero(c), 1);
    const cos = v128.shuffle<f32>(ab, cd, 0, 2, 4, 6);
    const sin = v128.shuffle<f32>(ab, cd, 1, 3, 5, 7);
    const re = v128.load(from);
    const im = v128.load(from, IMAGINARY);
    v128.store(to, f32x4.sub(f32x4.mul(re, cos), f32x4.mul(im, sin)));
    v128.store(to, f32x4.add(f32x4.mul(re, sin), f32x4.mul(im, cos)), IMAGINARY);
    from += GROUP_BYTES;
  }
}

// @ts-ignore: decorator
@inline
function phasorAddress(phase: u64): usize {
  return table + (<usize>(phase >> INDEX_SHIFT) << PHASOR_LOG2_BYTES);
}
