/** How many of a square's units are in which state; `units` counts all of them. */
export interface SquareCounts {
  readonly units: number;
  readonly valid: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Open, and computed by somebody now. */
  readonly computing: number;
  /** Open, and waiting for another volunteer's result or for an upload. */
  readonly reported: number;
}

/** The letter for a square (see `jobSquares` in the protocol): trouble first, then movement, then what is done. */
export function squareOf(counts: SquareCounts): string {
  if (counts.failed > 0) return 'f';
  if (counts.computing > 0) return 'c';
  if (counts.valid === counts.units) return 'v';
  if (counts.cancelled === counts.units) return 'x';
  if (counts.reported > 0) return 'r';
  return counts.valid + counts.cancelled > 0 ? 'p' : 'o';
}
