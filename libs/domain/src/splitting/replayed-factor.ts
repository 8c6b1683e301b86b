import type { SplitFactor, SplitPoint } from './split-types.js';

/** Points that are kept rather than found again; beyond, every pass reads the input anew. */
const KEPT_POINTS = 16_384;

/**
 * The same factor, remembering the points of its first whole pass where reading the input was needed to find them and
 * they are few. An inner factor of a product is passed through once for every point of the factors before it.
 */
export function replayed(factor: SplitFactor): SplitFactor {
  if (factor.count !== null) return factor;
  let kept: SplitPoint[] | null = null;
  return { ...factor, points };

  async function* points(from: number, signal?: AbortSignal): AsyncGenerator<SplitPoint> {
    if (kept) {
      yield* kept.slice(from);
      return;
    }
    const seen: SplitPoint[] = [];
    let index = 0;
    for await (const point of factor.points(0, signal)) {
      if (seen.length <= KEPT_POINTS) seen.push(point);
      if (index >= from) yield point;
      index += 1;
    }
    if (seen.length <= KEPT_POINTS) kept = seen;
  }
}
