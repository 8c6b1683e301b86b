import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { masterPool } from './hot-pool.js';

const LOCK = 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked';
const UNLOCK = 'SELECT pg_advisory_unlock(hashtextextended($1, 0))';
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
  const connection = await masterPool(dataSource).connect();
  let isUsable = true;
  const ask = async (statement: string): Promise<unknown> => {
    try {
      return (await connection.query(statement, [name])).rows;
    } catch (error) {
      isUsable = false;
      throw error;
    }
  };
  try {
    const [{ locked }] = lockRows.parse(await ask(LOCK));
    if (!locked) return null;
    try {
      return { value: await work() };
    } finally {
      // A lock whose connection is gone is gone with it, and changes nothing of what has been done, or why it could not be.
      await ask(UNLOCK).catch(() => undefined);
    }
  } finally {
    // Where it was not unlocked, ending the connection is what ends the lock.
    connection.release(!isUsable);
  }
}
