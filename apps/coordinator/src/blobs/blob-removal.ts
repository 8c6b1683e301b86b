import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { BLOB_STORE, type BlobStore } from './blob-store.js';

/** Blobs that nobody references for this long are swept. */
export const KEEP_UNREFERENCED_DAYS = 7;
/** What was given back and used before goes after this long: whoever has just stored the same content is about to reference it. */
const LEAVE_AFTER_MINUTES = 15;

/** When a blob is unreferenced since, at the latest, that leaves so soon. */
export const LEAVING = `now() - interval '${KEEP_UNREFERENCED_DAYS} days' + interval '${LEAVE_AFTER_MINUTES} minutes'`;

const countRows = z.tuple([z.object({ count: z.number() })]);

/** Takes content away together with its row. */
@Injectable()
export class BlobRemoval {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(BLOB_STORE) private readonly store: BlobStore,
  ) {}

  /**
   * Removes a blob that nobody references. The lock outlives the row's transaction: an upload of the same content must not come between
   * row and file.
   *
   * @param condition of the row `b` besides, whose parameters are numbered from 2 on
   * @returns whether it is gone
   */
  async remove(sha256: string, condition: string, parameters: readonly unknown[]): Promise<boolean> {
    const runner = this.dataSource.createQueryRunner();
    await runner.connect();
    try {
      await runner.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [blobLock(sha256)]);
      const deleted: unknown = await runner.query(
        `WITH gone AS (
           DELETE FROM blob b WHERE sha256 = decode($1, 'hex') AND ${condition}
              AND NOT EXISTS (SELECT FROM blob_reference r WHERE r.sha256 = b.sha256)
              AND NOT EXISTS (SELECT FROM job j WHERE j.output_sha256 = b.sha256) RETURNING 1)
         SELECT count(*)::int AS count FROM gone`,
        [sha256, ...parameters],
      );
      const [{ count }] = countRows.parse(deleted);
      if (count === 1) await this.store.remove(sha256);
      return count === 1;
    } finally {
      await runner.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [blobLock(sha256)]);
      await runner.release();
    }
  }

  /**
   * An account needs its upload no more. What it alone has goes, at once where nobody else ever had to do with it.
   *
   * @returns whether it holds no room of the account any more
   */
  async giveBack(accountId: string, sha256: string): Promise<boolean> {
    const isGone = await this.remove(
      sha256,
      `b.unreferenced_since = b.created_at
         AND EXISTS (SELECT FROM blob_grant g WHERE g.sha256 = b.sha256 AND g.account_id = $2 AND g.granted_at = b.created_at)
         AND NOT EXISTS (SELECT FROM blob_grant g WHERE g.sha256 = b.sha256 AND g.account_id <> $2)`,
      [accountId],
    );
    if (isGone) return true;
    return await this.dataSource.transaction(async (manager) => {
      await forgetGrants(manager, [accountId], sha256);
      const left = await manager.query<unknown[]>(
        "SELECT FROM blob_grant WHERE sha256 = decode($1, 'hex') AND account_id = $2",
        [sha256, accountId],
      );
      return left.length === 0;
    });
  }
}

/**
 * Takes from these accounts what others have or need too, and lets the rest go soon. Until then it counts as theirs: or else whoever gives
 * back, or signs up anew, again and again would fill the disk.
 *
 * @param sha256 of one blob, or null for all of them
 */
export async function forgetGrants(
  manager: EntityManager,
  accountIds: readonly string[],
  sha256: string | null,
): Promise<void> {
  const parameters = [accountIds, sha256];
  const own = `g.account_id = ANY($1::bigint[]) AND ($2::text IS NULL OR g.sha256 = decode($2, 'hex'))`;
  const others = `EXISTS (SELECT FROM blob_grant o WHERE o.sha256 = b.sha256 AND o.account_id <> ALL($1::bigint[]))`;
  await manager.query(
    `SELECT FROM blob WHERE sha256 IN (SELECT g.sha256 FROM blob_grant g WHERE ${own}) ORDER BY sha256 FOR NO KEY UPDATE`,
    parameters,
  );
  await manager.query(
    `DELETE FROM blob_grant g USING blob b
      WHERE b.sha256 = g.sha256 AND ${own} AND (g.held_bytes = 0 OR b.unreferenced_since IS NULL OR ${others})`,
    parameters,
  );
  await manager.query(
    `UPDATE blob b SET unreferenced_since = least(b.unreferenced_since, ${LEAVING}) FROM blob_grant g
      WHERE b.sha256 = g.sha256 AND ${own} AND b.unreferenced_since IS NOT NULL`,
    parameters,
  );
}

/** Name of the lock on the content of this digest: whoever stores or removes it takes turns. */
export function blobLock(sha256: string): string {
  return `blob ${sha256}`;
}
