/** One line of the app's output: a bin that stands out of its power spectrum. */
export interface Spike {
  /** Power over the spectrum's mean power. */
  readonly power: number;
  readonly fftLen: number;
  readonly chirpIndex: number;
  /** Drift in Hz/s. */
  readonly chirpHzPerS: number;
  readonly bin: number;
  /** Frequency at the start of the tape, in Hz. */
  readonly frequencyHz: number;
  /** Middle of the transformed block, in seconds from the start of the tape. */
  readonly seconds: number;
  /** Frequency in the middle of the block, in Hz. */
  readonly detectionFrequencyHz: number;
}

/**
 * Reads the JSON lines of one unit or of a whole job.
 *
 * @throws TypeError naming the line that is not a spike
 */
export function parseSpikes(lines: string): Spike[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => parseSpike(line, index + 1));
}

function parseSpike(line: string, lineNumber: number): Spike {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null) throw new TypeError(`line ${lineNumber} is not an object`);
  const fields = new Map<string, unknown>(Object.entries(value));
  const numberOf = (name: string): number => {
    const field = fields.get(name);
    if (typeof field !== 'number') throw new TypeError(`line ${lineNumber}: "${name}" is not a number`);
    return field;
  };
  if (fields.get('type') !== 'spike') throw new TypeError(`line ${lineNumber} is not a spike`);
  return {
    power: numberOf('power'),
    fftLen: numberOf('fft_len'),
    chirpIndex: numberOf('chirp_ix'),
    chirpHzPerS: numberOf('chirp'),
    bin: numberOf('bin'),
    frequencyHz: numberOf('freq'),
    seconds: numberOf('sec'),
    detectionFrequencyHz: numberOf('detection_freq'),
  };
}
