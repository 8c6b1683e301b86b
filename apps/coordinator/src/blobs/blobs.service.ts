import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { heldBytesOf } from '@gleaner/domain';
import type { Blob } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import { DomainError, NotFoundError, translateError } from '../http/index.js';
import { Metrics } from '../telemetry/index.js';
import { blobLock, BlobRemoval, KEEP_UNREFERENCED_DAYS } from './blob-removal.js';
import { BLOB_STORE, type BlobStore, type ByteRange } from './blob-store.js';
import { hashFile, type HashedContent } from './hash-content.js';
import { ManifestSigner } from './manifest-signer.js';
import { whileThereIsRoom } from './room-check.js';
import { UploadRooms } from './upload-rooms.js';

const SWEEP_BATCH = 200;
/** Blobs of which none is there where the whole store is away. */
const STORE_SAMPLE = 16;
const DAY_MS = 24 * 3_600_000;

const blobRow = z.object({
  sha256: z.string(),
  size_bytes: z.coerce.number(),
  chunk_bytes: z.number(),
  manifest_id: z.string(),
  created_at: z.date(),
  blob_references: z.coerce.number(),
});

export interface StoreOptions {
  /** Who may then read and use it: its uploader, or whose job it answers; null for what the coordinator keeps for itself. */
  readonly accountId: string | null;
  /** Of an upload the room that it was promised: it counts among what its account's uploads hold from then on. */
  readonly holdId?: string;
  /** Lower-case hexadecimal; other content is refused. */
  readonly expectedSha256?: string;
  /** Which part of the request says it, as a pointer. */
  readonly declaredAt?: string;
}

export interface StreamOptions extends StoreOptions {
  readonly maxBytes: number;
  /** What a volunteer computed: the reserve that uploads are refused for is there for it. */
  readonly isResult?: boolean;
}

export interface StoredBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
}

@Injectable()
export class BlobsService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(BLOB_STORE) private readonly store: BlobStore,
    private readonly signer: ManifestSigner,
    private readonly metrics: Metrics,
    private readonly rooms: UploadRooms,
    private readonly removal: BlobRemoval,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Stores small content that is in memory already. */
  async storeBytes(bytes: Uint8Array, options: StoreOptions): Promise<StoredBlob> {
    await this.requireSpace(bytes.length);
    const path = this.store.temporaryPath();
    try {
      await writeFile(path, bytes, { mode: 0o600 });
      return await this.storeFile(path, options);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Stores a stream; more than `maxBytes` is refused, and nothing of it stays. */
  async storeStream(source: Readable, options: StreamOptions): Promise<StoredBlob> {
    const requireRoom = options.isResult ? () => Promise.resolve() : () => this.requireSpace(0);
    await requireRoom();
    const path = this.store.temporaryPath();
    try {
      await pipeline(
        source,
        limitBytes(options.maxBytes),
        whileThereIsRoom(requireRoom),
        createWriteStream(path, { mode: 0o600 }),
      );
      // An upload of a stream names the blob; a result's digest was reported earlier.
      return await this.storeFile(path, options.isResult ? options : { declaredAt: '/blobId', ...options });
    } catch (error) {
      throw translateError(error);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Stores a complete file on the store's volume. Its owner removes it once it is stored, or tries again. */
  async storeFile(path: string, options: StoreOptions): Promise<StoredBlob> {
    const { accountId, holdId, expectedSha256, declaredAt } = options;
    const content = await hashFile(path);
    if (expectedSha256 !== undefined && content.sha256 !== expectedSha256) {
      throw new DomainError(
        'bad-digest',
        `The content's SHA-256 is ${content.sha256}, not ${expectedSha256}.`,
        declaredAt === undefined
          ? {}
          : { errors: [{ pointer: declaredAt, detail: "is not the content's SHA-256" }] },
      );
    }
    await this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        blobLock(content.sha256),
      ]);
      await this.store.adopt(path, content);
      await manager.query(
        `INSERT INTO blob (sha256, size_bytes, chunk_bytes, manifest_id, signature)
         VALUES (decode($1, 'hex'), $2, $3, decode($4, 'hex'), $5)
         ON CONFLICT (sha256) DO UPDATE SET unreferenced_since = CASE WHEN blob.unreferenced_since IS NULL THEN NULL ELSE now() END`,
        this.rowOf(content),
      );
      if (accountId === null) return;
      await manager.query(
        `INSERT INTO blob_grant AS g (sha256, account_id, held_bytes) VALUES (decode($1, 'hex'), $2, $3)
         ON CONFLICT (sha256, account_id) DO UPDATE SET held_bytes = excluded.held_bytes WHERE g.held_bytes < excluded.held_bytes`,
        [content.sha256, accountId, holdId === undefined ? 0 : heldBytesOf(content.manifest.size)],
      );
      if (holdId !== undefined) await this.rooms.settle(manager, holdId);
    });
    return { sha256: content.sha256, sizeBytes: content.manifest.size };
  }

  async describe(sha256: string): Promise<Blob> {
    const facts = await this.factsOf(sha256);
    return { ...facts, signature: (await this.signedManifest(sha256)).signature };
  }

  /** The manifest, signed with the key that the coordinator has now: a backup may have been restored without the one before. */
  async signedManifest(sha256: string): Promise<{ bytes: Buffer; signature: string }> {
    const bytes = await this.store.readManifest(sha256);
    return { bytes, signature: this.signer.sign(bytes).toString('base64') };
  }

  /** Everything about a blob that its row tells. */
  async factsOf(sha256: string): Promise<Omit<Blob, 'signature'>> {
    const rows = z.array(blobRow).parse(
      await this.dataSource.query(
        `SELECT encode(sha256, 'hex') AS sha256, size_bytes, chunk_bytes, encode(manifest_id, 'hex') AS manifest_id,
                created_at,
                (SELECT count(*) FROM blob_reference r WHERE r.sha256 = b.sha256) AS blob_references
           FROM blob b WHERE sha256 = decode($1, 'hex')`,
        [sha256],
      ),
    );
    const row = rows[0];
    if (!row) throw new NotFoundError(`blob sha256:${sha256}`);
    return {
      blobId: `sha256:${row.sha256}`,
      sizeBytes: row.size_bytes,
      manifestId: row.manifest_id,
      chunkBytes: row.chunk_bytes,
      chunks: Math.ceil(row.size_bytes / row.chunk_bytes),
      createdAt: row.created_at.toISOString(),
      references: row.blob_references,
    };
  }

  /**
   * @throws {DomainError} `unavailable` where it is not there, and nothing else either
   * @throws {Error} `ENOENT` where it alone is not there, which nothing mends by itself
   */
  async openContent(sha256: string, range?: ByteRange): Promise<Readable> {
    const content = await this.store.open(sha256, range).catch(async (error: unknown) => {
      await this.requireStore();
      throw error;
    });
    content.on('data', (part: Buffer) => this.metrics.blobBytesServed.inc(part.length));
    content.pause();
    return content;
  }

  /** A volume that is not mounted holds nothing of what rows name, and will hold it again. */
  private async requireStore(): Promise<void> {
    const rows = z
      .array(z.object({ sha256: z.string() }))
      .parse(
        await this.dataSource.query(
          `SELECT encode(sha256, 'hex') AS sha256 FROM blob ORDER BY sha256 LIMIT ${STORE_SAMPLE}`,
        ),
      );
    if (rows.length === 0) return;
    for (const { sha256 } of rows) if (await this.store.has(sha256)) return;
    throw new DomainError(
      'unavailable',
      'Nothing of what was stored is there: is the volume of the data directory mounted?',
    );
  }

  /** @throws {DomainError} `insufficient-storage` where the disk would have less left than the reserve */
  async requireSpace(bytes: number): Promise<void> {
    const free = await this.store.freeBytes();
    if (free - bytes >= this.config.minFreeBytes) return;
    throw new DomainError(
      'insufficient-storage',
      `${bytes} bytes were to be stored, ${free} are free and ${this.config.minFreeBytes} of them are kept for results. ` +
        'Delete jobs that are no longer needed, or ask the operator for room.',
    );
  }

  /** Forgets blobs that nobody references since a week. Returns how many; call again until none is left. */
  async sweepUnreferenced(days = KEEP_UNREFERENCED_DAYS): Promise<number> {
    const candidates = z.array(z.object({ sha256: z.string() })).parse(
      await this.dataSource.query(
        `SELECT encode(sha256, 'hex') AS sha256 FROM blob
          WHERE unreferenced_since < now() - $1 * interval '1 day' ORDER BY unreferenced_since LIMIT ${SWEEP_BATCH}`,
        [days],
      ),
    );
    let swept = 0;
    for (const { sha256 } of candidates) {
      const isOver = "unreferenced_since < now() - $2 * interval '1 day'";
      if (await this.removal.remove(sha256, isOver, [days])) swept += 1;
    }
    return swept;
  }

  /**
   * Removes content that has no row: its transaction failed after the file was in its place. Returns how many.
   *
   * @param part of the store, see {@link BlobStore.listOld}
   */
  async sweepStrays(part: number): Promise<number> {
    const old = await this.store.listOld(part, KEEP_UNREFERENCED_DAYS * DAY_MS);
    if (old.length === 0) return 0;
    const strays = z.array(z.object({ sha256: z.string() })).parse(
      await this.dataSource.query(
        `SELECT d AS sha256 FROM unnest($1::text[]) d
          WHERE NOT EXISTS (SELECT FROM blob b WHERE b.sha256 = decode(d, 'hex')) LIMIT ${SWEEP_BATCH}`,
        [old],
      ),
    );
    for (const { sha256 } of strays) {
      await this.dataSource.transaction(async (manager) => {
        await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [blobLock(sha256)]);
        const known: unknown[] = await manager.query("SELECT FROM blob WHERE sha256 = decode($1, 'hex')", [
          sha256,
        ]);
        // Uploaded again a moment ago: it is somebody's now.
        if (known.length === 0) await this.store.remove(sha256);
      });
    }
    return strays.length;
  }

  private rowOf(content: HashedContent): unknown[] {
    const { sha256, manifest, manifestBytes, manifestId } = content;
    return [sha256, manifest.size, manifest.chunk, manifestId, this.signer.sign(manifestBytes)];
  }
}

function limitBytes(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(part: Buffer, _encoding, done) {
      seen += part.length;
      if (seen <= maxBytes) done(null, part);
      else done(new DomainError('too-large', `At most ${maxBytes} bytes are accepted here.`));
    },
  });
}
