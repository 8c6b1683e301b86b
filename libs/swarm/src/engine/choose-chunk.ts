/**
 * Rarest first: of the candidates, one of those that the fewest peers have, ties by chance so that hosts that know the
 * same do not all fetch the same.
 *
 * @returns undefined when no candidate passes `isPossible`
 */
export function chooseRarestChunk(
  candidates: Iterable<number>,
  availability: ArrayLike<number>,
  isPossible: (chunk: number) => boolean,
  random: () => number,
): number | undefined {
  let best: number | undefined;
  let bestCopies = Number.POSITIVE_INFINITY;
  let ties = 0;
  for (const chunk of candidates) {
    const copies = availability[chunk] ?? 0;
    if (copies > bestCopies || !isPossible(chunk)) continue;
    if (copies < bestCopies) {
      best = chunk;
      bestCopies = copies;
      ties = 1;
    } else {
      ties += 1;
      // Reservoir sampling: each of the ties is equally likely without a list of them.
      if (random() * ties < 1) best = chunk;
    }
  }
  return best;
}
