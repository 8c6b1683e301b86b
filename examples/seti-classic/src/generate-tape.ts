import { TAPE_SAMPLES } from './chirp-grid.js';
import { seededRandom } from './random-source.js';
import { PACKED_BYTES, writeSahFile } from './sah-file.js';
import { describeTone, type InjectedTone, type Tone, toneAmplitude, tonePhaseTurns } from './tone.js';

const BASE_HZ = 1_420_000_000;
const SAMPLE_RATE_HZ = 9765.625;
/**
 * Above the 22 of real recordings: noise alone crosses 22 about three times in ten thousand transforms of a tape, and a
 * demonstration should not depend on its seed. 26 is crossed fifty times less often.
 */
const SPIKE_THRESHOLD = 26;
/** One-bit samples cannot follow a larger sum of tones. */
const MAX_AMPLITUDE = 0.9;
const SINE_TABLE_LOG2 = 16;

export interface GeneratedTape {
  /** A `.sah` file. */
  readonly bytes: Uint8Array;
  readonly injected: readonly InjectedTone[];
}

/**
 * Makes a tape of noise with drifting tones in it, in the format of a SETI@home work unit; the same seed and tones give
 * the same bytes on every machine.
 *
 * A one-bit receiver turns a weak tone in noise into samples of ±1 whose mean follows the tone, so each sample is drawn
 * with just that mean.
 *
 * @throws RangeError where the tones together are too strong for one-bit samples
 */
export function generateTape(options: {
  readonly seed: number;
  readonly tones: readonly Tone[];
}): GeneratedTape {
  const { seed, tones } = options;
  const amplitude = tones.reduce((sum, tone) => sum + toneAmplitude(tone), 0);
  if (amplitude > MAX_AMPLITUDE)
    throw new RangeError(`the tones' amplitudes add up to ${amplitude.toFixed(2)}`);
  const means = addTones(tones);
  const random = seededRandom(seed);
  const packed = new Uint8Array(PACKED_BYTES);
  for (let sample = 0; sample < TAPE_SAMPLES; sample++) {
    const inPhase = random() * 2 - 1 < (means.inPhase[sample] ?? 0) ? 2 : 0;
    const quadrature = random() * 2 - 1 < (means.quadrature[sample] ?? 0) ? 1 : 0;
    const byte = sample >> 2;
    packed[byte] = (packed[byte] ?? 0) | ((inPhase | quadrature) << ((sample & 3) * 2));
  }
  const header = {
    name: `generated-${seed}`,
    baseHz: BASE_HZ,
    sampleRateHz: SAMPLE_RATE_HZ,
    spikeThreshold: SPIKE_THRESHOLD,
  };
  return {
    bytes: writeSahFile(header, packed),
    injected: tones.map((tone) => describeTone(tone, BASE_HZ, SAMPLE_RATE_HZ)),
  };
}

/** Sum of all tones, sample by sample. */
function addTones(tones: readonly Tone[]): { inPhase: Float32Array; quadrature: Float32Array } {
  const inPhase = new Float32Array(TAPE_SAMPLES);
  const quadrature = new Float32Array(TAPE_SAMPLES);
  const length = 1 << SINE_TABLE_LOG2;
  const sine = Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * i) / length));
  for (const tone of tones) {
    const amplitude = toneAmplitude(tone);
    for (let sample = 0; sample < TAPE_SAMPLES; sample++) {
      const turns = tonePhaseTurns(tone, sample);
      const index = Math.floor((turns - Math.floor(turns)) * length);
      inPhase[sample] = (inPhase[sample] ?? 0) + amplitude * (sine[(index + length / 4) % length] ?? 0);
      quadrature[sample] = (quadrature[sample] ?? 0) - amplitude * (sine[index] ?? 0);
    }
  }
  return { inPhase, quadrature };
}
