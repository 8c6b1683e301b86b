import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { BlobAccess } from '../blobs/index.js';
import { BoundedCache } from '../http/index.js';
import { isBoardAway } from './board-away.interceptor.js';
import { SWARM_BOARD } from './board-provider.js';
import type { SwarmBoard, SwarmFile } from './swarm-board.js';
import { TICKET_MS } from './swarm-signer.js';

const CACHED_FILES = 50_000;
const CACHE_MS = 60_000;
/** Inputs of running jobs that replicas are offered of, the newest first. */
const OPEN_INPUTS_MAX = 1_000;
const OPEN_INPUTS_MS = 3_000;

const fileRow = z.object({
  manifest_id: z.string(),
  sha256: z.string(),
  size_bytes: z.coerce.number(),
  chunk_bytes: z.number(),
  job_id: z.string(),
});

const FILE_COLUMNS = `encode(b.manifest_id, 'hex') AS manifest_id, encode(b.sha256, 'hex') AS sha256,
          b.size_bytes, b.chunk_bytes`;

/** Which inputs a host may have: those that its open tasks need, and those that it was asked to keep. */
@Injectable()
export class SwarmFiles implements OnModuleInit {
  private readonly entitled = new BoundedCache<string, SwarmFile>(CACHED_FILES, CACHE_MS);
  private readonly manifests = new BoundedCache<string, string>(CACHED_FILES, CACHE_MS);
  private open: { readonly files: readonly SwarmFile[]; readonly atMs: number } | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly access: BlobAccess,
    @Inject(SWARM_BOARD) private readonly board: SwarmBoard,
  ) {}

  onModuleInit(): void {
    this.access.alsoAllow(async ({ hostId }, sha256) => {
      try {
        return (await this.findByContent(hostId, sha256)) !== null;
      } catch (error) {
        // Without the board nobody knows of a replica; tasks are looked up elsewhere.
        if (isBoardAway(error)) return false;
        throw error;
      }
    });
  }

  /** The file, if the host may have it; null otherwise. */
  async find(hostId: string, manifestId: string): Promise<SwarmFile | null> {
    return (await this.findAll(hostId, [manifestId])).get(manifestId) ?? null;
  }

  async findAll(hostId: string, manifestIds: readonly string[]): Promise<ReadonlyMap<string, SwarmFile>> {
    const found = new Map<string, SwarmFile>();
    const unknown: string[] = [];
    for (const manifestId of new Set(manifestIds)) {
      const known =
        this.entitled.get(`${hostId} ${manifestId}`) ??
        (await this.board.findEntitlement(hostId, manifestId));
      if (known) found.set(manifestId, known);
      else unknown.push(manifestId);
    }
    for (const file of await this.neededByTasks(hostId, unknown)) {
      found.set(file.manifestId, file);
      await this.board.entitle(hostId, file, TICKET_MS);
    }
    for (const file of found.values()) this.entitled.set(`${hostId} ${file.manifestId}`, file);
    return found;
  }

  async findByContent(hostId: string, sha256: string): Promise<SwarmFile | null> {
    const manifestId = this.manifests.get(sha256) ?? (await this.manifestOf(sha256));
    if (manifestId === null) return null;
    this.manifests.set(sha256, manifestId);
    return await this.find(hostId, manifestId);
  }

  /** The host was asked to keep part of the file. */
  async entitle(hostId: string, file: SwarmFile): Promise<void> {
    await this.board.entitle(hostId, file, TICKET_MS);
  }

  /** The file again, if it is an open job's, for a host that shows until when it may have it; null otherwise. */
  async entitleAgain(hostId: string, manifestId: string, untilMs: number): Promise<SwarmFile | null> {
    const file = (await this.openInputs()).find((open) => open.manifestId === manifestId);
    if (file) await this.board.entitle(hostId, file, untilMs - Date.now());
    return file ?? null;
  }

  /** What the host may have of open jobs it may have for another while: whoever keeps a copy for others keeps it until nobody needs it. */
  async prolong(hostId: string, files: ReadonlyMap<string, SwarmFile>): Promise<void> {
    if (files.size === 0) return;
    const open = (await this.openInputs()).filter(({ manifestId }) => files.has(manifestId));
    for (const file of open) await this.board.entitle(hostId, file, TICKET_MS);
  }

  /** Inputs of jobs that volunteers work on, at most {@link OPEN_INPUTS_MS} old. */
  async openInputs(): Promise<readonly SwarmFile[]> {
    if (this.open && performance.now() - this.open.atMs < OPEN_INPUTS_MS) return this.open.files;
    // An app that is not approved runs only on its submitter's hosts: its inputs stay there.
    const rows: unknown = await this.dataSource.query(
      `SELECT * FROM (
         SELECT DISTINCT ON (b.sha256) ${FILE_COLUMNS}, j.id AS job_id
           FROM job j JOIN app_version v ON v.id = j.app_version_id AND v.approved_at IS NOT NULL
                JOIN blob_reference r ON r.owner_kind = 'job' AND r.owner_id = j.id AND r.role LIKE 'input:%'
                JOIN blob b ON b.sha256 = r.sha256
          WHERE j.state IN ('splitting', 'running') AND b.size_bytes > 0 ORDER BY b.sha256, j.id DESC) f
        ORDER BY job_id DESC LIMIT ${OPEN_INPUTS_MAX}`,
    );
    const files = z.array(fileRow).parse(rows).map(toFile);
    this.open = { files, atMs: performance.now() };
    return files;
  }

  /** The job's inputs, largest first. */
  async inputsOf(jobId: string): Promise<SwarmFile[]> {
    const rows: unknown = await this.dataSource.query(
      `SELECT DISTINCT ${FILE_COLUMNS}, r.owner_id AS job_id FROM blob_reference r JOIN blob b ON b.sha256 = r.sha256
        WHERE r.owner_kind = 'job' AND r.owner_id = $1 AND r.role LIKE 'input:%' ORDER BY size_bytes DESC`,
      [jobId],
    );
    return z.array(fileRow).parse(rows).map(toFile);
  }

  private async neededByTasks(hostId: string, manifestIds: readonly string[]): Promise<SwarmFile[]> {
    if (manifestIds.length === 0) return [];
    const rows: unknown = await this.dataSource.query(
      `SELECT ${FILE_COLUMNS}, min(u.job_id) AS job_id
         FROM lease l JOIN work_unit u ON u.id = l.unit_id
              JOIN blob_reference r ON r.owner_kind = 'job' AND r.owner_id = u.job_id AND r.role LIKE 'input:%'
              JOIN blob b ON b.sha256 = r.sha256
        WHERE l.host_id = $1 AND b.manifest_id IN (SELECT decode(d, 'hex') FROM unnest($2::text[]) d)
        GROUP BY b.sha256`,
      [hostId, manifestIds],
    );
    return z.array(fileRow).parse(rows).map(toFile);
  }

  private async manifestOf(sha256: string): Promise<string | null> {
    const rows: unknown = await this.dataSource.query(
      `SELECT encode(manifest_id, 'hex') AS manifest_id FROM blob WHERE sha256 = decode($1, 'hex')`,
      [sha256],
    );
    const [row] = z.array(z.object({ manifest_id: z.string() })).parse(rows);
    return row?.manifest_id ?? null;
  }
}

function toFile(row: z.infer<typeof fileRow>): SwarmFile {
  return {
    manifestId: row.manifest_id,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    chunkBytes: row.chunk_bytes,
    jobId: row.job_id,
  };
}
