import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  findNoUploadRoom,
  heldBytesOf,
  uploadRoomBytes,
  type NoUploadRoom,
  type UploaderStanding,
} from '@gleaner/domain';
import { formatBytes, type UploadRoom } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import { DomainError } from '../http/index.js';

/** Unfinished uploads of all accounts whom no operator has approved: their files are in one directory with everybody's. */
const MAX_UNFINISHED_OF_NEWCOMERS = 1000;
/** Longer than any one request: what a coordinator that was killed has left of it is nobody's. */
const REQUEST_LIFETIME_MS = 24 * 3_600_000;
/** Content that comes in one request has an id of its own, which is no upload's. */
const IN_ONE_REQUEST = 'request-';

/** Whom an operator has let submit jobs, by `account a`. */
const STANDING = `CASE WHEN a.operator THEN 'operator' WHEN EXISTS (
   SELECT FROM project_scientist s JOIN project p ON p.id = s.project_id
    WHERE s.account_id = a.id AND p.approved_at IS NOT NULL) THEN 'scientist' ELSE 'newcomer' END`;

const bytes = z.coerce.number();
const accountRows = z.tuple([
  z.object({ standing: z.enum(['operator', 'scientist', 'newcomer']), held_bytes: bytes }),
]);
const newcomersRows = z.tuple([z.object({ held_bytes: bytes, unfinished: z.coerce.number() })]);
const idRows = z.array(z.object({ id: z.string() }));
const holdRows = z.array(
  z.object({ id: z.string(), size_bytes: bytes, begun_at: z.date(), expires_at: z.date() }),
);

/**
 * How much of the disk uploads of each account hold. Room is promised before content comes, in the database: coordinators of one data directory
 * promise none of it twice. The transaction that makes a blob of the content turns the promise into what the blob holds.
 */
@Injectable()
export class UploadRooms {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Promises an upload its room, until it is {@link release}d, {@link settle}d or over.
   *
   * @throws {DomainError} `upload-room-used-up` where the account's uploads would hold more than they may
   */
  async hold(accountId: string, id: string, sizeBytes: number, lifetimeMs: number): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      // One after the other, or those that begin at the same moment would not see each other.
      await manager.query("SELECT pg_advisory_xact_lock(hashtextextended('uploads of ' || $1, 0))", [
        accountId,
      ]);
      const { standing, heldBytes } = await readRoom(manager, accountId);
      const newcomersHeldBytes = standing === 'newcomer' ? await newcomersBytes(manager) : 0;
      const refusal = findNoUploadRoom(
        sizeBytes,
        { standing, heldBytes, newcomersHeldBytes },
        this.config.uploadRoom,
      );
      if (refusal) throw noRoom(refusal, sizeBytes, standing, this.config.uploadRoom.perScientistBytes);
      await manager.query(
        `INSERT INTO upload_hold (id, account_id, size_bytes, held_bytes, expires_at)
         VALUES ($1, $2, $3, $4, now() + $5 * interval '1 ms')`,
        [id, accountId, sizeBytes, heldBytesOf(sizeBytes), lifetimeMs],
      );
    });
  }

  /**
   * Ends a promise. Repeating it changes nothing.
   *
   * @returns whether there was one
   */
  async release(id: string): Promise<boolean> {
    return await this.settle(this.dataSource.manager, id);
  }

  /** The same in the transaction that grants the account what the promise was for. */
  async settle(manager: EntityManager, id: string): Promise<boolean> {
    const ended = await manager.query<unknown[]>(
      'WITH ended AS (DELETE FROM upload_hold WHERE id = $1 RETURNING 1) SELECT FROM ended',
      [id],
    );
    return ended.length > 0;
  }

  /** Holds room for content that comes in one request, for as long as `work` with its promise takes. */
  async during<T>(accountId: string, sizeBytes: number, work: (holdId: string) => Promise<T>): Promise<T> {
    const id = IN_ONE_REQUEST + randomUUID();
    await this.hold(accountId, id, sizeBytes, REQUEST_LIFETIME_MS);
    try {
      return await work(id);
    } finally {
      await this.release(id);
    }
  }

  /** What an account's uploads hold and may hold, with those that have not ended. */
  async roomOf(accountId: string): Promise<UploadRoom> {
    const { standing, heldBytes } = await readRoom(this.dataSource.manager, accountId);
    const unfinished = holdRows.parse(
      await this.dataSource.query(
        `SELECT id, size_bytes, begun_at, expires_at FROM upload_hold
          WHERE account_id = $1 AND NOT starts_with(id, '${IN_ONE_REQUEST}') ORDER BY begun_at DESC`,
        [accountId],
      ),
    );
    return {
      heldBytes,
      maxBytes: uploadRoomBytes(standing, this.config.uploadRoom),
      unfinished: unfinished.map((row) => ({
        uploadId: row.id,
        sizeBytes: row.size_bytes,
        begunAt: row.begun_at.toISOString(),
        expiresAt: row.expires_at.toISOString(),
      })),
    };
  }

  /** Promises that nobody keeps any more: their time is over, or their account is deleted. */
  async listAbandoned(): Promise<string[]> {
    const rows = idRows.parse(
      await this.dataSource.query(
        `SELECT h.id FROM upload_hold h JOIN account a ON a.id = h.account_id
          WHERE h.expires_at < now() OR a.deleted_at IS NOT NULL`,
      ),
    );
    return rows.map(({ id }) => id);
  }
}

async function readRoom(
  manager: EntityManager,
  accountId: string,
): Promise<{ standing: UploaderStanding; heldBytes: number }> {
  const [row] = accountRows.parse(
    await manager.query(
      `SELECT ${STANDING} AS standing, coalesce(r.held_bytes, 0) AS held_bytes
         FROM account a LEFT JOIN upload_room r ON r.account_id = a.id WHERE a.id = $1`,
      [accountId],
    ),
  );
  return { standing: row.standing, heldBytes: row.held_bytes };
}

/** Newcomers take turns as well. @throws {DomainError} where too many of their uploads are unfinished */
async function newcomersBytes(manager: EntityManager): Promise<number> {
  await manager.query("SELECT pg_advisory_xact_lock(hashtextextended('uploads of newcomers', 0))");
  const [row] = newcomersRows.parse(
    await manager.query(
      `SELECT coalesce(sum(r.held_bytes), 0) AS held_bytes, coalesce(sum(h.unfinished), 0) AS unfinished
         FROM upload_room r JOIN account a ON a.id = r.account_id
         LEFT JOIN (SELECT account_id, count(*) AS unfinished FROM upload_hold GROUP BY account_id) h ON h.account_id = a.id
        WHERE r.held_bytes > 0 AND ${STANDING} = 'newcomer'`,
    ),
  );
  if (row.unfinished < MAX_UNFINISHED_OF_NEWCOMERS) return row.held_bytes;
  throw new DomainError(
    'server-busy',
    'Too many uploads of accounts without an approved project are unfinished: try again later, or ask the operator to approve your project.',
  );
}

function noRoom(
  { whose, maxBytes, leftBytes }: NoUploadRoom,
  sizeBytes: number,
  standing: UploaderStanding,
  perScientistBytes: number,
): DomainError {
  const wanted = `${formatBytes(sizeBytes)} were to be uploaded`;
  const approval =
    standing === 'newcomer'
      ? ` Scientists of a project that an operator has approved may hold ${formatBytes(perScientistBytes)} each.`
      : '';
  if (whose === 'newcomers') {
    return new DomainError(
      'upload-room-used-up',
      `${wanted}, and of the ${formatBytes(maxBytes)} for all accounts without an approved project ${formatBytes(leftBytes)} are left: try again later.${approval}`,
    );
  }
  return new DomainError(
    'upload-room-used-up',
    `${wanted}, and of the ${formatBytes(maxBytes)} that your uploads may hold ${formatBytes(leftBytes)} are left. ` +
      `Delete uploads that are no longer needed ("gleaner blob list", "gleaner blob delete"), or ask the operator for more.${approval}`,
  );
}
