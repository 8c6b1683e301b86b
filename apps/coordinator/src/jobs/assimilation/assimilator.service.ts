import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { MergeError, mergeOutputs } from '@gleaner/domain';
import { jobSpec, LIMITS } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import {
  BLOB_STORE,
  BlobReferences,
  BlobsService,
  type BlobStore,
  type StoredBlob,
} from '../../blobs/index.js';
import { CONFIG, type Config } from '../../config/index.js';
import { FairPace, whileAlone } from '../../database/index.js';
import { LOGGER, type Logger } from '../../telemetry/index.js';
import { CanonicalOutputs, NoLongerFoldedError, OutputMissingError } from './canonical-outputs.js';
import { DiskRunStore } from './disk-run-store.js';
import { foldingDirectory } from './folding-directory.js';
import { reasonOfDelay } from './reason-of-delay.js';

const jobRows = z.array(z.object({ spec: jobSpec, account_id: z.string() }));
type JobRow = z.infer<typeof jobRows>[number];

const failedRows = z.array(z.object({ state_reason: z.string() }));
const countRows = z.tuple([z.object({ valid: z.coerce.number(), failed: z.coerce.number() })]);

const ALL_SETTLED = `NOT EXISTS (SELECT FROM work_unit u WHERE u.job_id = j.id AND u.state = 'open')
              AND NOT EXISTS (SELECT FROM work_unit u WHERE u.job_id = j.id AND u.state = 'awaiting-output')`;

/** Of the time: a job's answer can wait longer than whoever asks for work meanwhile. */
const TIME_SHARE = 1 / 4;
/** Sorted at once, with nobody else's turn in between; larger answers are merged from files, so many at once. */
const SORT_BUFFER_BYTES = 4 * 1024 * 1024;
const SORT_FAN_IN = 256;

/** How often the disk's reserve is looked at while an answer is written. */
const SPACE_CHECK_BYTES = 64 * 1024 * 1024;

class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';

  constructor(maxBytes: number) {
    super(`its merged output is larger than ${maxBytes} bytes`);
  }
}

/** `not-ready`: units are open, the job is paused with a valid unit or has ended, or another process assimilates it. */
export type AssimilationOutcome = 'completed' | 'failed' | 'not-ready';

/**
 * Folds the canonical outputs of a job into its answer. Failed units have no part in it and do not hold it up: the job's
 * `stateReason` counts them and its results list them. A job without any valid unit fails, also while it is paused: nothing is
 * left that resuming it could change.
 */
@Injectable()
export class Assimilator {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outputs: CanonicalOutputs,
    private readonly blobs: BlobsService,
    @Inject(BLOB_STORE) private readonly blobStore: BlobStore,
    private readonly references: BlobReferences,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Safe to repeat and to interrupt: until its one last transaction nothing of it is visible, and the same answer is made
   * again from the same results.
   *
   * @throws the signal's reason, and whatever trying again later may mend
   */
  async assimilate(jobId: string, signal?: AbortSignal): Promise<AssimilationOutcome> {
    // Two processes at once would do the same, and one of them for nothing.
    const done = await whileAlone(this.dataSource, `assimilate ${jobId}`, () => this.fold(jobId, signal));
    return done?.value ?? 'not-ready';
  }

  private async fold(jobId: string, signal: AbortSignal | undefined): Promise<AssimilationOutcome> {
    const job = await this.begin(jobId);
    if (!job) return (await this.failPaused(jobId)) ? 'failed' : await this.resume(jobId);
    try {
      const { valid, failed } = await this.countUnits(jobId);
      if (valid === 0) return await this.fail(jobId, `all ${failed} units failed`);
      const output = await this.merge(jobId, job, signal);
      return await this.complete(
        jobId,
        output,
        failed === 0 ? null : `${failed} of ${valid + failed} units failed`,
      );
    } catch (error) {
      if (error instanceof NoLongerFoldedError) return await this.resume(jobId);
      if (error instanceof MergeError)
        return await this.fail(jobId, `its outputs cannot be merged: ${error.message}`);
      if (error instanceof OutputMissingError || error instanceof AnswerTooLargeError) {
        return await this.fail(jobId, error.message);
      }
      // A database that is away says nothing either.
      if (!signal?.aborted) await this.explainDelay(jobId, error).catch(() => undefined);
      throw error;
    }
  }

  private async begin(jobId: string): Promise<JobRow | null> {
    const [job] = await this.whileNothingReopens(jobId, async (manager) =>
      jobRows.parse(
        await manager.query(
          `WITH begun AS (
           UPDATE job j SET state = 'assimilating'
            WHERE id = $1 AND state IN ('running', 'assimilating') AND deleted_at IS NULL
              AND ${ALL_SETTLED}
           RETURNING spec, account_id)
         SELECT spec, account_id FROM begun`,
          [jobId],
        ),
      ),
    );
    return job ?? null;
  }

  /**
   * Whoever opens a unit again, or settles it otherwise, holds its job meanwhile, which runs on then; what follows sees whether
   * somebody has.
   */
  private async whileNothingReopens<T>(
    jobId: string,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    return await this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE', [jobId]);
      return await work(manager);
    });
  }

  private async failPaused(jobId: string): Promise<boolean> {
    const rows = await this.whileNothingReopens(jobId, async (manager) =>
      failedRows.parse(
        await manager.query(
          `WITH failed AS (
           UPDATE job j SET state = 'failed', state_reason = 'all ' || units_split || ' units failed', finished_at = now()
            WHERE id = $1 AND state = 'paused' AND split_at IS NOT NULL AND units_split > 0 AND deleted_at IS NULL
              AND NOT EXISTS (SELECT FROM work_unit u WHERE u.job_id = j.id AND u.state <> 'failed')
           RETURNING state_reason)
         SELECT state_reason FROM failed`,
          [jobId],
        ),
      ),
    );
    for (const { state_reason: reason } of rows) this.warnOfFailure(jobId, reason);
    return rows.length > 0;
  }

  private async countUnits(jobId: string): Promise<{ valid: number; failed: number }> {
    const [counts] = countRows.parse(
      await this.dataSource.query(
        `SELECT count(*) FILTER (WHERE state = 'valid') AS valid, count(*) FILTER (WHERE state = 'failed') AS failed
           FROM work_unit WHERE job_id = $1`,
        [jobId],
      ),
    );
    return counts;
  }

  private async merge(
    jobId: string,
    { spec, account_id }: JobRow,
    signal: AbortSignal | undefined,
  ): Promise<StoredBlob> {
    const pace = new FairPace(TIME_SHARE, signal ?? new AbortController().signal);
    const runs = await DiskRunStore.open(foldingDirectory(this.config, jobId), () =>
      this.blobs.requireSpace(0),
    );
    try {
      const outputs = this.outputs.ofJob(jobId, spec.outputs, pace);
      const merged = mergeOutputs(spec.merge, outputs, {
        runs,
        bufferBytes: SORT_BUFFER_BYTES,
        fanIn: SORT_FAN_IN,
        signal: pace.signal,
      });
      return await this.store(pace.between(merged), account_id);
    } finally {
      await runs.close();
    }
  }

  private async store(content: AsyncIterable<Uint8Array>, accountId: string): Promise<StoredBlob> {
    const path = this.blobStore.temporaryPath();
    try {
      await pipeline(Readable.from(this.bounded(content)), createWriteStream(path, { mode: 0o600 }));
      return await this.blobs.storeFile(path, { accountId });
    } finally {
      await rm(path, { force: true });
    }
  }

  private async *bounded(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    let checkedAtBytes = 0;
    await this.blobs.requireSpace(0);
    for await (const piece of content) {
      bytes += piece.length;
      if (bytes > LIMITS.blobBytes) throw new AnswerTooLargeError(LIMITS.blobBytes);
      if (bytes - checkedAtBytes >= SPACE_CHECK_BYTES) {
        await this.blobs.requireSpace(0);
        checkedAtBytes = bytes;
      }
      yield piece;
    }
  }

  private async complete(
    jobId: string,
    output: StoredBlob,
    note: string | null,
  ): Promise<AssimilationOutcome> {
    const isCompleted = await this.whileNothingReopens(jobId, async (manager) => {
      const rows: unknown[] = await manager.query(
        `WITH completed AS (
           UPDATE job j SET state = 'completed', state_reason = $3, output_sha256 = decode($2, 'hex'), finished_at = now()
            WHERE id = $1 AND state = 'assimilating' AND ${ALL_SETTLED} RETURNING id)
         SELECT id FROM completed`,
        [jobId, output.sha256, note],
      );
      if (rows.length === 0) return false;
      const use = { sha256: output.sha256, role: 'output' };
      const missing = await this.references.add(manager, { kind: 'job', id: jobId }, [use]);
      if (missing.length > 0)
        throw new Error(`the output of job ${jobId} was swept while it was being stored`);
      return true;
    });
    if (!isCompleted) return await this.resume(jobId);
    this.logger.info({ event: 'job-completed', jobId, output: output.sha256, bytes: output.sizeBytes });
    return 'completed';
  }

  private async explainDelay(jobId: string, error: unknown): Promise<void> {
    await this.dataSource.query(
      "UPDATE job SET state_reason = $2 WHERE id = $1 AND state = 'assimilating' AND state_reason IS DISTINCT FROM $2",
      [jobId, reasonOfDelay(error)],
    );
  }

  /** Volunteers who turned out to be one person may open a unit again while its job is being folded. */
  private async resume(jobId: string): Promise<AssimilationOutcome> {
    await this.dataSource.query(
      `UPDATE job j SET state = 'running', state_reason = NULL WHERE id = $1 AND state = 'assimilating' AND NOT (${ALL_SETTLED})`,
      [jobId],
    );
    return 'not-ready';
  }

  private async fail(jobId: string, reason: string): Promise<AssimilationOutcome> {
    const isFailed = await this.whileNothingReopens(jobId, async (manager) => {
      const rows: unknown[] = await manager.query(
        `WITH failed AS (
           UPDATE job j SET state = 'failed', state_reason = $2, finished_at = now()
            WHERE id = $1 AND state = 'assimilating' AND ${ALL_SETTLED} RETURNING id)
         SELECT id FROM failed`,
        [jobId, reason],
      );
      return rows.length > 0;
    });
    if (!isFailed) return await this.resume(jobId);
    this.warnOfFailure(jobId, reason);
    return 'failed';
  }

  private warnOfFailure(jobId: string, reason: string): void {
    this.logger.warn({ event: 'job-failed', jobId, reason });
  }
}
