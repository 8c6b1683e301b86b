import { generateTape, type GeneratedTape } from './generate-tape.js';
import { seededRandom } from './random-source.js';
import { chooseTones } from './tone.js';

/** Half-open range of chirp indices that holds the tones of {@link exampleTape}. */
export const EXAMPLE_CHIRPS = { from: -1000, to: 1000 } as const;

/** Keeps a tone's neighbouring chirps inside the range, too. */
const MARGIN_CHIRPS = 10;
const TONES = 8;
/** Seen in most of the tape's eight longest spectra, in none of the short ones. */
const TONE_POWER = 34;

/** The tape that `job.json` searches (seed 1), or another of its kind. */
export function exampleTape(seed: number): GeneratedTape {
  const tones = chooseTones({
    count: TONES,
    fromChirp: EXAMPLE_CHIRPS.from + MARGIN_CHIRPS,
    toChirp: EXAMPLE_CHIRPS.to - MARGIN_CHIRPS,
    power: TONE_POWER,
    random: seededRandom(seed),
  });
  return generateTape({ seed, tones });
}
