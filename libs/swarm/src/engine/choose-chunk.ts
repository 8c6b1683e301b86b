/**
 * Rarest first: of the candidates, those that the fewest peers have, ties by chance so that hosts that know the same do not
 * all fetch the same.
 *
 * @param most how many to choose
 * @returns the rarest first; fewer where not so many candidates pass `isPossible`
 */
export function chooseRarestChunks(
  candidates: Iterable<number>,
  availability: ArrayLike<number>,
  isPossible: (chunk: number) => boolean,
  random: () => number,
  most: number,
): number[] {
  // Sorted. A rank is the number of copies and a chance below one: ties have no order but by chance.
  const chosen: Array<{ readonly chunk: number; readonly rank: number }> = [];
  for (const chunk of candidates) {
    const copies = availability[chunk] ?? 0;
    const worst = chosen.length < most ? Number.POSITIVE_INFINITY : (chosen.at(-1)?.rank ?? 0);
    if (copies >= worst) continue;
    const rank = copies + random();
    if (rank >= worst || !isPossible(chunk)) continue;
    if (chosen.length === most) chosen.pop();
    let at = chosen.length;
    while (at > 0 && (chosen[at - 1]?.rank ?? 0) > rank) at -= 1;
    chosen.splice(at, 0, { chunk, rank });
  }
  return chosen.map(({ chunk }) => chunk);
}
