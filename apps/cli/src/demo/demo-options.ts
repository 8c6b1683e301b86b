import { LAST_CHIRP_INDEX } from '@gleaner/example-seti-classic';
import { InvalidArgumentError } from 'commander';

/** Half-open range of chirp indices. */
export interface ChirpRange {
  readonly from: number;
  readonly to: number;
}

export interface DemoOptions {
  readonly exit?: true;
  readonly json?: true;
  /** A SETI@home work unit to search instead of a generated tape. */
  readonly tape?: string;
  readonly chirp?: ChirpRange;
  readonly units?: number;
  readonly seed: number;
  readonly port: number;
}

/** What is searched when nothing is said: about a minute on two cores. */
export const DEFAULT_CHIRPS: ChirpRange = { from: -480, to: 480 };
/** Units that a range is cut into when nothing is said. */
export const DEFAULT_UNITS = 24;

/** Parser of `FROM:TO`. */
export function parseChirpRange(text: string): ChirpRange {
  const match = /^(-?\d{1,6}):(-?\d{1,6})$/.exec(text);
  const from = Number(match?.[1] ?? Number.NaN);
  const to = Number(match?.[2] ?? Number.NaN);
  if (!(from >= -LAST_CHIRP_INDEX && to <= LAST_CHIRP_INDEX + 1 && from < to)) {
    throw new InvalidArgumentError(
      `must be FROM:TO, chirp indices from ${-LAST_CHIRP_INDEX} (inclusive) to ${LAST_CHIRP_INDEX + 1} (exclusive)`,
    );
  }
  return { from, to };
}

/** Chirp indices a unit, so that the range gives about the wanted number of units. */
export function chirpsPerUnit({ from, to }: ChirpRange, units: number): number {
  return Math.max(1, Math.ceil((to - from) / units));
}
