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

export interface Candidates {
  /** The strongest ones, strongest first. */
  readonly strongest: readonly Candidate[];
  /** How many there are in all. */
  readonly total: number;
}

/** More than this is not a plot but a fog. */
export const CANDIDATES_SHOWN_MAX = 4_000;

/**
 * The candidates of an answer in JSON lines.
 *
 * @returns null where the answer is not of that kind: apps write what they like
 */
export function parseCandidates(answer: string): Candidates | null {
  let kept: Candidate[] = [];
  let total = 0;
  for (const line of linesOf(answer)) {
    const candidate = parseLine(line);
    if (!candidate) return null;
    kept.push(candidate);
    total += 1;
    // Sorted now and then: never more than twice as many as are shown.
    if (kept.length === 2 * CANDIDATES_SHOWN_MAX) kept = strongestOf(kept);
  }
  return { strongest: strongestOf(kept), total };
}

/** Whether an answer that begins like this may be one of candidates: its first whole line is one. */
export function beginsWithCandidate(beginning: string): boolean {
  const end = beginning.indexOf('\n');
  return end >= 0 && parseLine(beginning.slice(0, end)) !== null;
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (end > start) yield text.slice(start, end);
    start = end + 1;
  }
}

function strongestOf(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => b.power - a.power).slice(0, CANDIDATES_SHOWN_MAX);
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
