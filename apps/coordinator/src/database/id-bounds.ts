/**
 * Least and greatest of unit ids. With `id BETWEEN least AND greatest` Postgres leaves out partitions before it starts, which is
 * cheaper than finding each row's partition.
 *
 * Only for statements that read, or insert. Where any part of a statement updates, deletes or locks rows, of whichever table, and
 * waits for one that somebody else changes, Postgres 18.4 looks at its new version with a second copy of the plan. Preparing
 * the copy renumbers the partitions that the first one has left: from then on its parts find no rows in any but the first
 * partition, and say nothing. Units were saved as valid without their tasks. `id = ANY ($1)` beside a join on the id does the
 * same. `test/e2e/later-partition.itest.ts` would fail.
 */
export function idBounds(ids: Iterable<number>): [least: number, greatest: number] {
  let least = Number.MAX_SAFE_INTEGER;
  let greatest = 0;
  for (const id of ids) {
    least = Math.min(least, id);
    greatest = Math.max(greatest, id);
  }
  return [least, greatest];
}
