import { CHIRP_TURNS_PER_SAMPLE_SQUARED, chirpUnitHzPerS, LONGEST_FFT } from './chirp-grid.js';
import { type RandomSource } from './random-source.js';

/** A drifting tone to hide in a tape. */
export interface Tone {
  /** Bin of the longest transform (0 to 131071) at the start of the tape. */
  readonly bin: number;
  readonly chirpIndex: number;
  /** Expected power over mean power in each of the tape's eight longest spectra, at exactly its bin and chirp. */
  readonly power: number;
}

/** A tone as it lies in a tape. */
export interface InjectedTone extends Tone {
  /** Frequency at the start of the tape, in Hz. */
  readonly frequencyHz: number;
  /** Drift in Hz/s. */
  readonly chirpHzPerS: number;
}

/** Bins kept free at both ends of the band and around the middle between two tones. */
const MARGIN_BINS = 2048;
/** The top sixteenth of the bins lies below the base frequency: kept free, so that tones stay above it. */
const HIGHEST_BIN = (LONGEST_FFT * 15) / 16;

/**
 * Tones spread over a half-open range of chirp indices and over the band, at least 2,048 bins apart.
 *
 * @throws RangeError where so many tones have no room in the band
 */
export function chooseTones(options: {
  readonly count: number;
  readonly fromChirp: number;
  readonly toChirp: number;
  /** Expected powers are between 1 and 1.2 times this. */
  readonly power: number;
  readonly random: RandomSource;
}): Tone[] {
  const { count, fromChirp, toChirp, power, random } = options;
  const bandBins = (HIGHEST_BIN - MARGIN_BINS) / count;
  const chirps = (toChirp - fromChirp) / count;
  if (bandBins <= MARGIN_BINS || chirps < 1)
    throw new RangeError(
      `no room for ${count} tones: the band has ${bandBins} bins and ${chirps} chirp rates`,
    );
  return Array.from({ length: count }, (_, index) => ({
    bin: Math.floor(MARGIN_BINS + index * bandBins + random() * (bandBins - MARGIN_BINS)),
    chirpIndex: Math.floor(fromChirp + (index + random()) * chirps),
    power: power * (1 + 0.2 * random()),
  }));
}

export function describeTone(tone: Tone, baseHz: number, sampleRateHz: number): InjectedTone {
  return {
    ...tone,
    frequencyHz: baseHz + (tone.bin * sampleRateHz) / LONGEST_FFT,
    chirpHzPerS: tone.chirpIndex * chirpUnitHzPerS(sampleRateHz),
  };
}

/**
 * Phase of a tone at a sample, in turns. The search multiplies by exp(+iπct²) and transforms with exp(+i…), so that a
 * tone at a positive bin with a positive drift turns backwards by this phase.
 */
export function tonePhaseTurns(tone: Tone, sample: number): number {
  return (
    (tone.bin * sample) / LONGEST_FFT + tone.chirpIndex * CHIRP_TURNS_PER_SAMPLE_SQUARED * sample * sample
  );
}

/** Mean of a sample's in-phase part at phase 0 that gives the tone its power: power = amplitude² · 131072 / 2. */
export function toneAmplitude(tone: Tone): number {
  return Math.sqrt((2 * tone.power) / LONGEST_FFT);
}
