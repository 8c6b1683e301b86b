/**
 * Which chirps and transform lengths are searched. Chirps are whole multiples k of one unit step, and each length has
 * its own multiple of it: a long transform is sensitive to small changes of the drift, a short one is not.
 */

/** log2 of the longest transform. */
export const LONGEST_LOG2: i32 = 17;
/** log2 of the shortest transform whose spectrum can hold a spike: a bin of N exceeds the mean at most N times. */
export const SHORTEST_LOG2: i32 = 5;
/** Largest chirp index. */
export const LAST_CHIRP_INDEX: i32 = 27050;

/** Largest loss of phase coherence between two steps, in turns. */
const RESOLUTION: f64 = 0.333;
/** Seconds in which a signal stays in the beam: what limits the step of the shorter transforms. */
const BEAM_SECONDS: f64 = 27.7;
/** From this length on, the transform's own duration limits its step. */
const COHERENT_LOG2: i32 = 15;
/** From this length on, only slow drifts are searched. */
const SLOW_ONLY_LOG2: i32 = 16;
const SLOW_LIMIT_HZ_PER_S: f64 = 20;

/** Phase of chirp index 1 at sample n is PHASE_UNIT_TURNS * n^2: the sample rate cancels out. */
export const PHASE_UNIT_TURNS: f64 = RESOLUTION / 2 / <f64>(<i64>1 << (2 * LONGEST_LOG2));

export class Grid {
  private readonly steps: StaticArray<i32> = new StaticArray<i32>(LONGEST_LOG2 + 1);
  /** Hz/s of chirp index 1. */
  readonly unitHzPerS: f64;

  constructor(sampleRateHz: f64) {
    const longestSeconds = <f64>(1 << LONGEST_LOG2) / sampleRateHz;
    this.unitHzPerS = RESOLUTION / (longestSeconds * longestSeconds);
    for (let log2 = SHORTEST_LOG2; log2 <= LONGEST_LOG2; log2++) {
      const seconds = <f64>(1 << log2) / sampleRateHz;
      const stepHzPerS = RESOLUTION / (log2 >= COHERENT_LOG2 ? seconds * seconds : BEAM_SECONDS * seconds);
      this.steps[log2] = <i32>Math.round(stepHzPerS / this.unitHzPerS);
    }
  }

  /** Whether a length is searched at a chirp index. */
  isSearched(chirpIndex: i32, log2: i32): bool {
    if (log2 >= SLOW_ONLY_LOG2 && Math.abs(<f64>chirpIndex * this.unitHzPerS) > SLOW_LIMIT_HZ_PER_S) return false;
    return chirpIndex % this.steps[log2] == 0;
  }

  /** Lengths searched at a chirp index. */
  passes(chirpIndex: i32): i32 {
    let count = 0;
    for (let log2 = SHORTEST_LOG2; log2 <= LONGEST_LOG2; log2++) count += i32(this.isSearched(chirpIndex, log2));
    return count;
  }
}
