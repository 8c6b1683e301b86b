import { Inject, Injectable } from '@nestjs/common';
import { isFinalUnitState, pauseReason, transitionUnit, type UnitEvent } from '@gleaner/domain';
import type { TaskState } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { BlobReferences, type BlobOwner } from '../blobs/index.js';
import { CONFIG, type Config } from '../config/index.js';
import {
  hotPool,
  hotTransaction,
  isRetryable,
  PreparedStatement,
  type Queryable,
  tokenArray,
} from '../database/index.js';
import { countEndedTasks, type EndedTasks } from '../hosts/index.js';
import { type AssimilateData, QUEUES, QueueService, type ValidateData } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import type { DecidedUnit } from './decision-changes.js';
import { type JobTallyAfter, saveDecided, type Saved, taskKey } from './save-decisions.statement.js';
import { taskBlobOwner } from './task-blob-owner.js';
import { type LoadedUnits, UnitReader } from './unit-reader.service.js';

/** Others change the same units meanwhile seldom, and hardly ever so often. */
const MAX_TRIES = 8;
/**
 * A decision does not see a task whose claim had not committed, and its result may be stored before the decision is. By then it is
 * there: a report that takes longer than a tenth of a second calls for a look at its unit itself.
 */
const UNSEEN_RESULTS_ARRIVE_MS = 3_000;
const NOTHING_NEW: UnitEvent = { kind: 'examined' };

const findTaskBlobs = new PreparedStatement<{ readonly owner_id: string }>(
  'find-task-blobs',
  `SELECT DISTINCT owner_id FROM blob_reference WHERE owner_kind = 'task' AND owner_id = ANY ($1::bigint[])`,
);

const lockGoingJobs = new PreparedStatement<{ readonly id: string }>(
  'lock-going-jobs',
  `SELECT id FROM job WHERE id = ANY ($1::bigint[]) AND state NOT IN ('completed', 'failed', 'cancelled')
    ORDER BY id FOR NO KEY UPDATE`,
);

/** What has been folded of such a job so far is not its answer, and open units of a running one are computed. */
const runOn = new PreparedStatement<object>(
  'run-on',
  `UPDATE job SET state = 'running', state_reason = NULL WHERE id = ANY ($1::bigint[]) AND state = 'assimilating'`,
);

/** Decides what follows from what happened to units, and saves it: all of a unit's decision, or nothing. */
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

  /** Concludes what the rows of these units tell; of units that just wait, what they wait for. */
  async examine(unitIds: readonly number[]): Promise<void> {
    await this.decide(unitIds, () => NOTHING_NEW);
  }

  /** Applies an event to each unit. */
  async apply(events: ReadonlyMap<number, UnitEvent>): Promise<void> {
    await this.decide([...events.keys()], (unitId) => events.get(unitId) ?? NOTHING_NEW);
  }

  /** No lock is held while it thinks: a unit that changed meanwhile is not saved but thought about again. */
  private async decide(unitIds: readonly number[], eventOf: (unitId: number) => UnitEvent): Promise<void> {
    let left: readonly number[] = [...new Set(unitIds)];
    for (let tries = 1; left.length > 0; tries += 1) {
      const loaded = await this.reader.load(left);
      const nowMs = Date.now();
      const decided: DecidedUnit[] = [];
      for (const unit of loaded.units) {
        const { decision } = transitionUnit(unit.view, eventOf(unit.unitId), unit.rules, nowMs);
        if (decision.isChanged || decision.blocked !== unit.blocked) decided.push({ unit, decision });
      }
      if (decided.length === 0) return;
      const saved = await this.save(decided, loaded, tries);
      const isSaved = ({ unit }: DecidedUnit): boolean => saved.unitIds.has(unit.unitId);
      await this.conclude(decided.filter(isSaved), saved);
      const ended = decided.filter(isSaved).flatMap((each) => endedTasks(each, saved.missedTasks));
      await countEndedTasks(hotPool(this.dataSource), ended);
      left = decided
        .filter((each) => !isSaved(each) || misses(each, saved.missedTasks))
        .map(({ unit }) => unit.unitId);
      if (left.length > 0 && tries >= MAX_TRIES) {
        throw new Error(`${left.length} units keep changing while they are decided on, such as ${left[0]}`);
      }
    }
  }

  private async save(decided: readonly DecidedUnit[], loaded: LoadedUnits, tries: number): Promise<Saved> {
    try {
      return decided.some((each) => each.decision.state === 'failed' || isRevising(each))
        ? await this.saveWithJobs(decided, loaded)
        : await saveDecided(hotPool(this.dataSource), decided, loaded, this.config.allowance);
    } catch (error) {
      if (tries >= MAX_TRIES || !isRetryable(error)) throw error;
      return { unitIds: new Set(), tallies: [], missedTasks: new Set() };
    }
  }

  /**
   * Together with what it hangs on or changes of jobs: only the decision that makes a job fail too often pauses it, and that happens
   * once; what a settled unit says is revised only while its job has not ended, and none ends before that is saved.
   */
  private async saveWithJobs(decided: readonly DecidedUnit[], loaded: LoadedUnits): Promise<Saved> {
    return await hotTransaction(this.dataSource, async (connection) => {
      const revising = decided.filter(isRevising);
      const going = new Set(
        (await lockGoingJobs.run(connection, [tokenArray(revising.map(({ unit }) => unit.jobId))])).map(
          ({ id }) => id,
        ),
      );
      const possible = decided.filter((each) => !isRevising(each) || going.has(each.unit.jobId));
      const saved = await saveDecided(connection, possible, loaded, this.config.allowance);
      const settled = possible.filter(({ unit }) => saved.unitIds.has(unit.unitId));
      const revised = settled.filter(isRevising).map(({ unit }) => unit.jobId);
      if (revised.length > 0) await runOn.run(connection, [tokenArray(revised)]);
      for (const tally of saved.tallies) await this.pauseUnlessHealthy(connection, tally, settled);
      return saved;
    });
  }

  /** What follows from saved decisions for jobs and blobs. */
  private async conclude(decided: readonly DecidedUnit[], { tallies, missedTasks }: Saved): Promise<void> {
    for (const tally of tallies) {
      // A paused job waits for its scientist, but where no unit is valid there is nothing to wait for.
      const mayEnd = tally.state === 'running' || (tally.state === 'paused' && tally.valid === 0);
      if (mayEnd && tally.settled >= tally.unitsSplit) this.announceEnd(tally.jobId);
    }
    this.lookAgainAt(decided.filter(endsWithoutResult).map(({ unit }) => unit.unitId));
    await this.dropBlobs(decided.flatMap((each) => purposelessOutputs(each, missedTasks)));
  }

  private async pauseUnlessHealthy(
    connection: Queryable,
    tally: JobTallyAfter,
    saved: readonly DecidedUnit[],
  ): Promise<void> {
    const settled = saved.flatMap(({ unit, decision: { state } }) =>
      unit.jobId === tally.jobId && state !== unit.view.state && (state === 'valid' || state === 'failed')
        ? [state]
        : [],
    );
    const failed = settled.filter((state) => state === 'failed').length;
    if (failed === 0) return;
    const before = { valid: tally.valid - (settled.length - failed), failed: tally.failed - failed };
    const reason = pauseReason(before, settled, tally.state === 'splitting' ? null : tally.unitsSplit);
    if (reason === null) return;
    await connection.query(
      "UPDATE job SET state = 'paused', state_reason = $2 WHERE id = $1 AND state IN ('splitting', 'running')",
      [tally.jobId, reason],
    );
    this.logger.warn({ event: 'job-paused', jobId: tally.jobId, reason });
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

  /** Where there is a canonical result, whatever is stored beside it calls for a look by itself. */
  private lookAgainAt(units: readonly number[]): void {
    if (units.length === 0) return;
    this.queues
      .queue<ValidateData>(QUEUES.validate)
      .add({ units }, { delayMs: UNSEEN_RESULTS_ARRIVE_MS, attempts: 5 })
      .catch((error: unknown) =>
        this.logger.warn({ event: 'announcement-lost', units: units.length, err: error }),
      );
  }

  /** If it gets lost, the sweep of jobs announces it again. */
  private announceEnd(jobId: string): void {
    this.queues
      .queue<AssimilateData>(QUEUES.assimilate)
      .add({ jobId }, { dedupeId: jobId, attempts: 5 })
      .catch((error: unknown) => this.logger.warn({ event: 'announcement-lost', jobId, err: error }));
  }
}

function isSettling({ unit, decision }: DecidedUnit): boolean {
  return isFinalUnitState(decision.state) && !isFinalUnitState(unit.view.state);
}

/** Another state, or another result: no answer may be made of what it was before. */
function isRevising({ unit: { view }, decision }: DecidedUnit): boolean {
  return (
    isFinalUnitState(view.state) &&
    (decision.state !== view.state || decision.canonicalOrdinal !== view.canonicalOrdinal)
  );
}

function endsWithoutResult(each: DecidedUnit): boolean {
  return isSettling(each) && each.decision.canonicalOrdinal === null;
}

/** Of a unit that settles also what was kept for reports that never came: of all its tasks but the canonical one. */
function purposelessOutputs(each: DecidedUnit, missed: ReadonlySet<string>): BlobOwner[] {
  const { unit, decision } = each;
  const ordinals = isSettling(each)
    ? unit.view.tasks.map(({ ordinal }) => ordinal).filter((ordinal) => ordinal !== decision.canonicalOrdinal)
    : decision.dropOutputsOf;
  return ordinals
    .map((ordinal) => ({ unitId: unit.unitId, ordinal }))
    .filter((task) => !missed.has(taskKey(task)))
    .map(taskBlobOwner);
}

/** Whether a task of the unit was changed by another while this was thought about. */
function misses({ unit: { unitId }, decision }: DecidedUnit, missed: ReadonlySet<string>): boolean {
  return missed.size > 0 && decision.tasks.some(({ ordinal }) => missed.has(taskKey({ unitId, ordinal })));
}

/** Tasks whose unit needs them no longer. */
function endedTasks({ unit, decision }: DecidedUnit, missed: ReadonlySet<string>): EndedTasks[] {
  const before = new Map(unit.view.tasks.map((task) => [task.ordinal, task]));
  return decision.tasks.flatMap(({ ordinal, state }) => {
    const task = before.get(ordinal);
    if (!task || task.state === state || missed.has(taskKey({ unitId: unit.unitId, ordinal }))) return [];
    const step = (of: TaskState): number => Number(state === of) - Number(task.state === of);
    const ended = { hostId: String(task.hostId), lost: step('lost'), aborted: step('aborted') };
    return ended.lost === 0 && ended.aborted === 0 ? [] : [ended];
  });
}
