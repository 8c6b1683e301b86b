/** A signal that a search found: a bin that stands out of its power spectrum. */
export interface Candidate {
  /** Power over the spectrum's mean power. */
  readonly power: number;
  readonly fftLen: number;
  readonly chirpHzPerS: number;
  readonly bin: number;
  /** Middle of the transformed block, in seconds from the start of the tape. */
  readonly seconds: number;
  /** Frequency in that middle, in Hz. */
  readonly detectionHz: number;
}

/** More than this is not a plot but a fog. */
const CANDIDATES_MAX = 20_000;

/**
 * The candidates of an answer in JSON lines, strongest first, at most 20,000.
 *
 * @returns null where the answer is not of that kind: apps write what they like
 */
export function parseCandidates(answer: string): Candidate[] | null {
  const candidates: Candidate[] = [];
  for (const line of answer.split('\n', CANDIDATES_MAX)) {
    if (line === '') continue;
    const candidate = parseLine(line);
    if (!candidate) return null;
    candidates.push(candidate);
  }
  return candidates.sort((a, b) => b.power - a.power);
}

function parseLine(line: string): Candidate | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'spike')
    return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [power, fftLen, chirpHzPerS, bin, seconds, detectionHz] = [
    'power',
    'fft_len',
    'chirp',
    'bin',
    'sec',
    'detection_freq',
  ].map((name) => fields.get(name));
  return isFinite(power) &&
    isFinite(fftLen) &&
    isFinite(chirpHzPerS) &&
    isFinite(bin) &&
    isFinite(seconds) &&
    isFinite(detectionHz)
    ? { power, fftLen, chirpHzPerS, bin, seconds, detectionHz }
    : null;
}

function isFinite(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
