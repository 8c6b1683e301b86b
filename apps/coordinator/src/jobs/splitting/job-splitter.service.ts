import { Inject, Injectable } from '@nestjs/common';
import { splitUnits, type UnitToCreate } from '@gleaner/domain';
import { jobSpec, LIMITS, type JobSpec } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { FairPace } from '../../database/index.js';
import { LOGGER, type Logger } from '../../telemetry/index.js';
import { InputMissingError, JobInputs } from './job-inputs.js';
import { UnitWriter } from './unit-writer.js';

/** Units of one transaction: large enough to be cheap, small enough that cancelling takes effect at once. */
const UNITS_PER_BATCH = 2_000;
/** And characters of their values: where these are long texts, thousands of units would take gigabytes at once. */
const CHARACTERS_PER_BATCH = 1024 * 1024;
/** Of the time, beyond the first thousands of units: volunteers compute far less than what is split meanwhile. */
const TIME_SHARE = 1 / 3;
/** A split that has taken so long makes room where another job has no unit yet. */
const TURN_MS = 10_000;
/** Records before its first unit are read again in each turn: a turn is longer than that by so much. */
const TURN_PER_START = 4;

const jobRows = z.array(
  z.object({ spec: jobSpec, quorum: z.number(), units_split: z.coerce.number(), state: z.string() }),
);

/**
 * `ready`: all units are there. `failed`: the job cannot be split. `stopped`: it no longer splits, another process does it, or
 * it makes room for a job without units and goes on later.
 */
export type SplitOutcome = 'ready' | 'failed' | 'stopped';

export interface SplitOptions {
  readonly signal?: AbortSignal;
  /** Called after each batch that was written: its units can be computed while the next ones are made. */
  readonly onUnits?: () => Promise<void>;
  readonly turnMs?: number;
}

/** Turns a submitted job into work units, batch by batch, from wherever it was interrupted. */
@Injectable()
export class JobSplitter {
  constructor(
    private readonly dataSource: DataSource,
    private readonly inputs: JobInputs,
    private readonly writer: UnitWriter,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Splits in constant memory. Cancelling or pausing the job ends it before its next batch.
   *
   * @throws the signal's reason; what is written stays, and the next call goes on from there
   */
  async split(
    jobId: string,
    { signal, onUnits, turnMs = TURN_MS }: SplitOptions = {},
  ): Promise<SplitOutcome> {
    const [job] = jobRows.parse(
      await this.dataSource.query(
        'SELECT spec, quorum, units_split, state FROM job WHERE id = $1 AND deleted_at IS NULL',
        [jobId],
      ),
    );
    if (job?.state !== 'splitting') return 'stopped';
    const beganMs = performance.now();
    let turnEndsMs = job.units_split === 0 ? beganMs + turnMs : null;
    const pace = new FairPace(TIME_SHARE, signal ?? new AbortController().signal);
    try {
      for await (const batch of batches(this.units(job.spec, job.units_split, signal))) {
        if ((batch.at(-1)?.index ?? 0) >= LIMITS.unitsPerJob) {
          return await this.fail(jobId, `it splits into more than ${LIMITS.unitsPerJob} units`);
        }
        turnEndsMs ??= beganMs + Math.max(turnMs, TURN_PER_START * (performance.now() - beganMs));
        const isWritten = await pace.portion(async () => {
          const isAppended = await this.writer.append(jobId, job.quorum, batch);
          if (isAppended) await onUnits?.();
          return isAppended;
        });
        if (!isWritten) return 'stopped';
        if (performance.now() >= turnEndsMs && (await this.isAnyoneWaiting(jobId))) return 'stopped';
      }
    } catch (error) {
      // Nothing that trying again would mend.
      if (error instanceof InputMissingError || error instanceof RangeError)
        return await this.fail(jobId, error.message);
      throw error;
    }
    return await this.finish(jobId);
  }

  private async *units(
    spec: JobSpec,
    from: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<UnitToCreate> {
    yield* splitUnits(spec.split, await this.inputs.open(spec.inputs), { from, ...(signal && { signal }) });
  }

  /** Whether another job has no unit yet: as many long ones as are split at once would keep it waiting for hours. */
  private async isAnyoneWaiting(jobId: string): Promise<boolean> {
    const waiting: unknown[] = await this.dataSource.query(
      "SELECT FROM job WHERE state = 'splitting' AND units_split = 0 AND deleted_at IS NULL AND id <> $1 LIMIT 1",
      [jobId],
    );
    return waiting.length > 0;
  }

  private async finish(jobId: string): Promise<SplitOutcome> {
    const rows: unknown[] = await this.dataSource.query(
      `WITH ready AS (UPDATE job SET state = 'running', split_at = now()
                       WHERE id = $1 AND state = 'splitting' AND units_split > 0 RETURNING units_split)
       SELECT units_split FROM ready`,
      [jobId],
    );
    // Where it has units, it was paused a moment ago, and may go on again by now.
    if (rows.length === 0) return await this.fail(jobId, 'its split yields no work units', 'units_split = 0');
    this.logger.info({ event: 'job-split', jobId, ...z.object({ units_split: z.string() }).parse(rows[0]) });
    return 'ready';
  }

  private async fail(jobId: string, reason: string, onlyWhere = 'true'): Promise<SplitOutcome> {
    const rows: unknown[] = await this.dataSource.query(
      `WITH failed AS (UPDATE job SET state = 'failed', state_reason = $2, finished_at = now()
                        WHERE id = $1 AND state = 'splitting' AND ${onlyWhere} RETURNING id)
       SELECT id FROM failed`,
      [jobId, reason],
    );
    if (rows.length === 0) return 'stopped';
    this.logger.warn({ event: 'job-failed', jobId, reason });
    return 'failed';
  }
}

async function* batches(units: AsyncIterable<UnitToCreate>): AsyncGenerator<readonly UnitToCreate[]> {
  let batch: UnitToCreate[] = [];
  let characters = 0;
  for await (const unit of units) {
    batch.push(unit);
    characters += charactersOf(unit);
    if (batch.length < UNITS_PER_BATCH && characters < CHARACTERS_PER_BATCH) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Of the unit's texts; numbers and names are short. */
function charactersOf({ params }: UnitToCreate): number {
  let characters = 0;
  for (const values of Object.values(params)) {
    for (const value of Object.values(values)) if (typeof value === 'string') characters += value.length;
  }
  return characters;
}
