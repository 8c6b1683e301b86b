import { Injectable } from '@nestjs/common';
import type { DeletedBlob, OwnBlob, OwnBlobPage } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { decodeCursor, DomainError, NotFoundError, toPage } from '../http/index.js';
import { BlobRemoval } from './blob-removal.js';
import { UploadRooms } from './upload-rooms.js';

const INSTANT_PATTERN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const DIGEST_PATTERN = /^[0-9a-f]{64}$/;
/** In the lists that go with refusals. */
const NAMED_OWNERS = 5;

const ownRows = z.array(
  z.object({
    sha256: z.string(),
    size_bytes: z.coerce.number(),
    granted_at: z.string(),
    blob_references: z.coerce.number(),
  }),
);
const ownerRows = z.array(z.object({ owner: z.string() }));

/** What an account has uploaded: the list of it, and how it is given back. */
@Injectable()
export class OwnBlobs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly removal: BlobRemoval,
    private readonly rooms: UploadRooms,
  ) {}

  /** Newest first. */
  async list(accountId: string, cursor: string | undefined, limit: number): Promise<OwnBlobPage> {
    const [at = null, sha256 = null] =
      cursor === undefined ? [] : decodeCursor(cursor, [INSTANT_PATTERN, DIGEST_PATTERN]);
    const rows = ownRows.parse(
      await this.dataSource.query(
        `SELECT encode(g.sha256, 'hex') AS sha256, b.size_bytes,
                to_char(g.granted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS granted_at,
                (SELECT count(*) FROM blob_reference r WHERE r.sha256 = g.sha256) AS blob_references
           FROM blob_grant g JOIN blob b ON b.sha256 = g.sha256
          WHERE g.account_id = $1 AND g.held_bytes > 0
            AND ($2::timestamptz IS NULL OR (g.granted_at, g.sha256) < ($2::timestamptz, decode($3, 'hex')))
          ORDER BY g.granted_at DESC, g.sha256 DESC LIMIT $4`,
        [accountId, at, sha256, limit + 1],
      ),
    );
    const page = toPage(rows, limit, present, (row) => [row.granted_at, row.sha256]);
    return { ...page, room: await this.rooms.roomOf(accountId) };
  }

  /**
   * Gives an upload back. What nobody else has or needs goes from the disk at once, or within minutes where it was used before: somebody
   * may be about to rely on it. Until then it counts as the account's.
   */
  async delete(accountId: string, sha256: string): Promise<DeletedBlob> {
    const [held] = await this.dataSource.query<unknown[]>(
      "SELECT FROM blob_grant WHERE sha256 = decode($1, 'hex') AND account_id = $2 AND held_bytes > 0",
      [sha256, accountId],
    );
    if (!held) throw new NotFoundError(`upload sha256:${sha256}`);
    const owners = ownerRows.parse(
      await this.dataSource.query(
        `SELECT 'job ' || j.id AS owner FROM blob_reference r JOIN job j ON j.id = r.owner_id
          WHERE r.owner_kind = 'job' AND r.sha256 = decode($1, 'hex') AND j.account_id = $2
         UNION
         SELECT app.name || '@' || v.version FROM blob_reference r
           JOIN app_version v ON v.id = r.owner_id JOIN app ON app.id = v.app_id
          WHERE r.owner_kind = 'app-version' AND r.sha256 = decode($1, 'hex') AND v.uploaded_by = $2
          ORDER BY owner LIMIT ${NAMED_OWNERS}`,
        [sha256, accountId],
      ),
    );
    if (owners.length > 0) {
      const names = owners.map(({ owner }) => owner).join(', ');
      throw new DomainError(
        'wrong-state',
        `It is needed by ${names}: delete jobs first that are no longer needed. Versions of apps stay.`,
      );
    }
    return { blobId: `sha256:${sha256}`, isGone: await this.removal.giveBack(accountId, sha256) };
  }
}

function present(row: z.infer<typeof ownRows>[number]): OwnBlob {
  return {
    blobId: `sha256:${row.sha256}`,
    sizeBytes: row.size_bytes,
    uploadedAt: new Date(row.granted_at).toISOString(),
    references: row.blob_references,
  };
}
