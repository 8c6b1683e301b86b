import { Inject, Injectable } from '@nestjs/common';
import { pauseReason, transitionUnit, type UnitEvent } from '@gleaner/domain';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { BlobReferences, type BlobOwner } from '../blobs/index.js';
import { CONFIG, type Config } from '../config/index.js';
import { hotPool, inTransaction, isRetryable, PreparedStatement, tokenArray } from '../database/index.js';
import { type AssimilateData, QUEUES, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { type DecidedUnit, saveDecided, type TallyRow } from './save-decisions.statement.js';
import { taskBlobOwner } from './task-blob-owner.js';
import { UnitReader } from './unit-reader.service.js';

const MAX_TRIES = 5;
const NOTHING_NEW: UnitEvent = { kind: 'examined' };

interface Conclusion {
  /** Jobs whose last unit settled. */
  readonly ended: readonly string[];
  /** Tasks whose outputs nobody needs any more. */
  readonly dropped: readonly BlobOwner[];
}

const findTaskBlobs = new PreparedStatement<{ readonly owner_id: string }>(
  'find-task-blobs',
  `SELECT DISTINCT owner_id FROM blob_reference WHERE owner_kind = 'task' AND owner_id = ANY ($1::bigint[])`,
);

export interface ExamineOptions {
  /** Also units that just wait: writes what they wait for. */
  readonly all?: boolean;
}

/** Decides what follows from what happened to units, and saves it: in one transaction, or not at all. */
@Injectable()
export class ValidationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reader: UnitReader,
    private readonly queues: QueueService,
    private readonly references: BlobReferences,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Concludes what the rows of these units tell. */
  async examine(unitIds: readonly number[], options: ExamineOptions = {}): Promise<void> {
    await this.decide(unitIds, () => NOTHING_NEW, !options.all);
  }

  /** Applies an event to each unit. */
  async apply(events: ReadonlyMap<number, UnitEvent>): Promise<void> {
    await this.decide([...events.keys()], (unitId) => events.get(unitId) ?? NOTHING_NEW, false);
  }

  private async decide(
    unitIds: readonly number[],
    eventOf: (unitId: number) => UnitEvent,
    onlyReady: boolean,
  ): Promise<void> {
    if (unitIds.length === 0) return;
    const { ended, dropped } = await this.tried(() =>
      inTransaction(hotPool(this.dataSource), (client) =>
        this.decideIn(client, [...new Set(unitIds)], eventOf, onlyReady),
      ),
    );
    for (const jobId of ended) this.announceEnd(jobId);
    await this.dropBlobs(dropped);
  }

  private async decideIn(
    client: pg.PoolClient,
    unitIds: readonly number[],
    eventOf: (unitId: number) => UnitEvent,
    onlyReady: boolean,
  ): Promise<Conclusion> {
    const { units, allowances } = await this.reader.lock(client, unitIds, onlyReady);
    const nowMs = Date.now();
    const decided: DecidedUnit[] = [];
    for (const unit of units) {
      const { decision } = transitionUnit(unit.view, eventOf(unit.unitId), unit.rules, nowMs);
      if (decision.isChanged || decision.blocked !== unit.blocked) decided.push({ unit, decision });
    }
    if (decided.length === 0) return { ended: [], dropped: [] };
    const tallies = await saveDecided(client, decided, allowances, this.config.allowance);
    return {
      ended: await this.concludeJobs(client, tallies),
      dropped: decided.flatMap(({ unit, decision }) =>
        decision.dropOutputsOf.map((ordinal) => taskBlobOwner({ unitId: unit.unitId, ordinal })),
      ),
    };
  }

  private async concludeJobs(client: pg.PoolClient, tallies: readonly TallyRow[]): Promise<string[]> {
    const ended: string[] = [];
    for (const tally of tallies) {
      const after = { valid: Number(tally.units_valid), failed: Number(tally.units_failed) };
      const settled = after.valid + after.failed + Number(tally.units_cancelled);
      if (tally.added_failed > 0) await pauseUnlessHealthy(client, tally, after);
      if (await isEnded(client, tally.job_id, settled)) ended.push(tally.job_id);
    }
    return ended;
  }

  /** Of the outputs that lost their purpose, few were too large for their task's row. */
  private async dropBlobs(owners: readonly BlobOwner[]): Promise<void> {
    if (owners.length === 0) return;
    const found = await findTaskBlobs.run(hotPool(this.dataSource), [tokenArray(owners.map(({ id }) => id))]);
    for (const { owner_id: id } of found) {
      await this.dataSource.transaction((manager) =>
        this.references.removeAll(manager, { kind: 'task', id }),
      );
    }
  }

  /** After the commit; if it gets lost, the sweep of ended jobs announces it again. */
  private announceEnd(jobId: string): void {
    this.queues
      .queue<AssimilateData>(QUEUES.assimilate)
      .add({ jobId }, { dedupeId: jobId, attempts: 5 })
      .catch((error: unknown) => this.logger.warn({ event: 'announcement-lost', jobId, err: error }));
  }

  private async tried<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (tries >= MAX_TRIES || !isRetryable(error)) throw error;
      }
    }
  }
}

interface SettledCounts {
  readonly valid: number;
  readonly failed: number;
}

async function pauseUnlessHealthy(
  client: pg.PoolClient,
  tally: TallyRow,
  after: SettledCounts,
): Promise<void> {
  const before = { valid: after.valid - tally.added_valid, failed: after.failed - tally.added_failed };
  const { rows } = await client.query<{ units_split: string }>('SELECT units_split FROM job WHERE id = $1', [
    tally.job_id,
  ]);
  const reason = pauseReason(before, after, Number(rows[0]?.units_split ?? 0));
  if (reason === null) return;
  await client.query(
    "UPDATE job SET state = 'paused', state_reason = $2 WHERE id = $1 AND state = 'running'",
    [tally.job_id, reason],
  );
}

async function isEnded(client: pg.PoolClient, jobId: string, settled: number): Promise<boolean> {
  const { rowCount } = await client.query(
    "SELECT FROM job WHERE id = $1 AND state = 'running' AND units_split <= $2",
    [jobId, settled],
  );
  return rowCount !== null && rowCount > 0;
}
