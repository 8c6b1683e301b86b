import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  chooseTones,
  generateTape,
  readSahHeader,
  seededRandom,
  type InjectedTone,
} from '@gleaner/example-seti-classic';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import type { ChirpRange } from './demo-options.js';

const TONES = 5;
/** Expected power of a tone: far above the threshold of 26, as an unmistakable signal would be. */
const TONE_POWER = 60;

export interface DemoTape {
  readonly path: string;
  readonly name: string;
  /** Tones hidden in it; null for a recording, of which nobody knows. */
  readonly injected: readonly InjectedTone[] | null;
}

/** A tape of noise with drifting tones within the range that is searched; the same seed makes the same tape. */
export async function makeTape(directory: string, seed: number, { from, to }: ChirpRange): Promise<DemoTape> {
  // At least four chirps away from the ends of the range: a tone is seen at its neighbours too.
  const margin = Math.min(4, Math.floor((to - from - 1) / 2));
  const count = Math.max(1, Math.min(TONES, to - from - 2 * margin));
  const tones = chooseTones({
    count,
    fromChirp: from + margin,
    toChirp: to - margin,
    power: TONE_POWER,
    random: seededRandom(seed),
  });
  const { bytes, injected } = generateTape({ seed, tones });
  const path = join(directory, `generated-${seed}.sah`);
  await writeFile(path, bytes);
  return { path, name: `generated tape ${seed}`, injected };
}

/** A recording that the user brings. */
export async function openTape(path: string): Promise<DemoTape> {
  try {
    return { path, name: readSahHeader(await readFile(path)).name, injected: null };
  } catch (error) {
    throw new CliError(`Cannot use the tape ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  }
}
