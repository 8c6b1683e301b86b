import type { DataSource } from 'typeorm';

/** Units that a partition holds, as the migrations have it. */
const UNITS_PER_PARTITION = 1 << 22;

/**
 * The next units lie on both sides of the border between the first two partitions: what holds there holds within a partition as
 * well, and Postgres has treated them differently.
 *
 * @param before how many come before it
 */
export async function goToPartitionBorder(database: DataSource, before: number): Promise<void> {
  await database.query("SELECT setval('work_unit_id_seq', $1), make_unit_partitions($2)", [
    UNITS_PER_PARTITION - 1 - before,
    UNITS_PER_PARTITION,
  ]);
}
