/** Complex samples of one tape. */
export const TAPE_SAMPLES = 2 ** 20;
/** Samples of the longest transform. */
export const LONGEST_FFT = 2 ** 17;
/** Chirp indices of a whole search are `-LAST_CHIRP_INDEX … LAST_CHIRP_INDEX`. */
export const LAST_CHIRP_INDEX = 27_050;

/** Largest loss of phase coherence between neighbouring chirps, in turns. */
const RESOLUTION_TURNS = 0.333;
/** Seconds in which a signal stays in the telescope's beam. */
const BEAM_SECONDS = 27.7;
/** From this length on, the transform's own duration limits its chirp step. */
const COHERENT_FFT = 2 ** 15;

/** Phase, in turns, that chirp index 1 has added at sample n, divided by n²; the sample rate cancels out. */
export const CHIRP_TURNS_PER_SAMPLE_SQUARED = RESOLUTION_TURNS / 2 / LONGEST_FFT ** 2;

/** Drift of chirp index 1 in Hz/s: 0.333 / (131072 / sampleRate)². */
export function chirpUnitHzPerS(sampleRateHz: number): number {
  return RESOLUTION_TURNS / (LONGEST_FFT / sampleRateHz) ** 2;
}

/** Chirp indices between two searches with transforms of `fftLen` samples. */
export function chirpStepOf(fftLen: number, sampleRateHz: number): number {
  const seconds = fftLen / sampleRateHz;
  const stepHzPerS = RESOLUTION_TURNS / (fftLen >= COHERENT_FFT ? seconds ** 2 : BEAM_SECONDS * seconds);
  return Math.round(stepHzPerS / chirpUnitHzPerS(sampleRateHz));
}
