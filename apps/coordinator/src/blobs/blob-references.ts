import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';

export interface BlobOwner {
  readonly kind: 'job' | 'app-version' | 'task';
  readonly id: string;
}

export interface BlobUse {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** What the owner uses it for, such as `input:tape` or `output`. */
  readonly role: string;
}

const shaRows = z.array(z.object({ sha256: z.string() }));
const useRows = z.array(z.object({ sha256: z.string(), role: z.string() }));

/** Who needs which blobs. A blob without a reference is swept after a week. */
@Injectable()
export class BlobReferences {
  /**
   * Keeps these blobs for as long as the owner references them, within the caller's transaction.
   *
   * @returns the digests that name no blob; nothing was referenced if there are any
   */
  async add(manager: EntityManager, owner: BlobOwner, uses: readonly BlobUse[]): Promise<string[]> {
    if (uses.length === 0) return [];
    // Until the reference is committed: the sweep cannot take them away in between.
    const known = await lockBlobs(manager, uses);
    const digests = [...new Set(uses.map(({ sha256 }) => sha256))].sort();
    const missing = digests.filter((digest) => !known.has(digest));
    if (missing.length > 0) return missing;
    await manager.query(
      `INSERT INTO blob_reference (sha256, owner_kind, owner_id, role)
       SELECT decode(d, 'hex'), $1, $2, r FROM unnest($3::text[], $4::text[]) AS u (d, r) ON CONFLICT DO NOTHING`,
      [owner.kind, owner.id, uses.map(({ sha256 }) => sha256), uses.map(({ role }) => role)],
    );
    await manager.query(
      `UPDATE blob SET unreferenced_since = NULL
        WHERE unreferenced_since IS NOT NULL AND sha256 IN (SELECT decode(d, 'hex') FROM unnest($1::text[]) d)`,
      [digests],
    );
    return [];
  }

  /** Ends all references that an owner has now; blobs that nobody else needs begin their last week. */
  async removeAll(manager: EntityManager, owner: BlobOwner): Promise<void> {
    const uses = useRows.parse(
      await manager.query(
        "SELECT encode(sha256, 'hex') AS sha256, role FROM blob_reference WHERE owner_kind = $1 AND owner_id = $2",
        [owner.kind, owner.id],
      ),
    );
    await this.remove(manager, owner, uses);
  }

  /** Ends these references of an owner; those it does not have are no error. */
  async remove(manager: EntityManager, owner: BlobOwner, uses: readonly BlobUse[]): Promise<void> {
    if (uses.length === 0) return;
    await lockBlobs(manager, uses);
    const gone = shaRows.parse(
      await manager.query(
        `WITH gone AS (
           DELETE FROM blob_reference USING unnest($3::text[], $4::text[]) AS u (d, r)
            WHERE owner_kind = $1 AND owner_id = $2 AND role = u.r AND sha256 = decode(u.d, 'hex') RETURNING sha256)
         SELECT DISTINCT encode(sha256, 'hex') AS sha256 FROM gone`,
        [owner.kind, owner.id, uses.map(({ sha256 }) => sha256), uses.map(({ role }) => role)],
      ),
    );
    await manager.query(
      `UPDATE blob b SET unreferenced_since = now()
        WHERE sha256 IN (SELECT decode(d, 'hex') FROM unnest($1::text[]) d)
          AND NOT EXISTS (SELECT FROM blob_reference r WHERE r.sha256 = b.sha256)`,
      [gone.map(({ sha256 }) => sha256)],
    );
  }
}

/**
 * Everybody locks blobs before they touch references to them: whoever adds a reference that is being removed waits for its end
 * with the blob in hand.
 *
 * @returns the digests of those that there are
 */
async function lockBlobs(manager: EntityManager, blobs: readonly BlobUse[]): Promise<ReadonlySet<string>> {
  const locked = shaRows.parse(
    await manager.query(
      `SELECT encode(sha256, 'hex') AS sha256 FROM blob
        WHERE sha256 IN (SELECT decode(d, 'hex') FROM unnest($1::text[]) d) ORDER BY sha256 FOR NO KEY UPDATE`,
      [blobs.map(({ sha256 }) => sha256)],
    ),
  );
  return new Set(locked.map(({ sha256 }) => sha256));
}
