/**
 * Least and greatest of unit ids. With `id BETWEEN least AND greatest` Postgres leaves out partitions before it starts, which is
 * cheaper than finding each row's partition.
 *
 * Only for statements that change no rows, or insert some: where a statement that updates or deletes waits for a row that another
 * one changes, Postgres 18.4 looks at that row's new version with a second copy of the plan, and preparing the copy renumbers
 * the partitions that the first one has left. From then on parts of the statement find no rows in any but the first partition,
 * and say nothing: units were saved as valid without their tasks. `test/e2e/later-partition.itest.ts` would fail.
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
