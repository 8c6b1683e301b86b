import type { DataSource } from 'typeorm';
import { z } from 'zod';

const lockRows = z.tuple([z.object({ locked: z.boolean() })]);

/** Null: somebody else, here or at another coordinator, does what has the same name. */
export type DoneAlone<T> = { readonly value: T } | null;

/**
 * Does something that nobody else does at the same time, by a lock of the database. It is held on a connection of its own, and ends
 * with that: whoever loses it is not told.
 *
 * @throws what `work` throws
 */
export async function whileAlone<T>(
  dataSource: DataSource,
  name: string,
  work: () => Promise<T>,
): Promise<DoneAlone<T>> {
  const runner = dataSource.createQueryRunner();
  await runner.connect();
  try {
    const [{ locked }] = lockRows.parse(
      await runner.query('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', [name]),
    );
    if (!locked) return null;
    try {
      return { value: await work() };
    } finally {
      // A lock whose connection is gone is gone with it, and changes nothing of what has been done, or why it could not be.
      await runner.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]).catch(() => undefined);
    }
  } finally {
    await runner.release();
  }
}
