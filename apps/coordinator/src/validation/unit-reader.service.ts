import { Inject, Injectable } from '@nestjs/common';
import { holdReason, type TaskView, type UnitRules, type UnitView } from '@gleaner/domain';
import type { Outcome, TaskState, UnitState } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../config/index.js';
import { hotPool, idBounds, plainArray, PreparedStatement } from '../database/index.js';

/** A unit as the domain sees it, with what is needed to save what the domain decides. */
export interface LoadedUnit {
  readonly unitId: number;
  readonly jobId: string;
  readonly rules: UnitRules;
  readonly view: UnitView;
  readonly blocked: string | null;
  /** How many credit entries a task has, by ordinal; none where it is missing. */
  readonly creditEntries: ReadonlyMap<number, number>;
  /** Of the unit's row: what is decided on it may be saved only while it is the same. */
  readonly version: string;
}

interface UnitRow {
  readonly id: string;
  readonly version: string;
  readonly job_id: string;
  readonly state: UnitState;
  readonly wanted: number;
  readonly canonical_ordinal: number | null;
  readonly settled_at: Date | null;
  readonly blocked: string | null;
  readonly quorum: number;
  readonly max_errors: number;
  readonly max_tasks: number;
  readonly distinct_by: UnitRules['distinct'];
  readonly job_paused: boolean;
  readonly job_ended: boolean;
  readonly submitter_person_id: string;
  readonly submitter_operates: boolean;
  readonly last_link_id: string;
}

interface TaskRow {
  readonly unit_id: string;
  readonly ordinal: number;
  readonly account_id: string;
  readonly person_id: string;
  readonly host_id: string;
  readonly anonymous: boolean;
  readonly network: string | null;
  readonly state: TaskState;
  readonly counts: boolean;
  readonly credit_eligible: boolean;
  /** Between assignment and report. */
  readonly elapsed_ms: number | null;
  readonly outcome: Outcome | null;
  readonly digest: string | null;
  readonly runtime_version: string | null;
  readonly cycles: string | null;
  readonly outputs_held: boolean;
  readonly cores: number;
}

export interface LoadedUnits {
  readonly units: readonly LoadedUnit[];
  /** Of every host that has a task of the units, by host id. */
  readonly coresByHost: ReadonlyMap<string, number>;
  /** The last time that accounts were linked before this was read: which persons the tasks' accounts belong to. */
  readonly lastLinkId: string;
}

/** Units by their ids. `version` changes with every change of the unit's row. */
const loadUnits = new PreparedStatement<UnitRow>(
  'load-units',
  `SELECT u.id, u.xmin::text AS version, u.job_id, u.state, u.wanted, u.canonical_ordinal, u.settled_at, u.blocked,
          j.quorum, j.max_errors, j.max_tasks, j.distinct_by, j.state = 'paused' AS job_paused,
          j.state IN ('completed', 'failed', 'cancelled') AS job_ended,
          coalesce(s.person_id, s.id) AS submitter_person_id, s.operator AS submitter_operates,
          (SELECT coalesce(max(r.id), 0) FROM link_review r) AS last_link_id
     FROM unnest($1::bigint[]) AS wanted(id) JOIN work_unit u ON u.id = wanted.id JOIN job j ON j.id = u.job_id
          JOIN account s ON s.id = j.account_id
    WHERE u.id BETWEEN $2 AND $3`,
);

const loadTasks = new PreparedStatement<TaskRow>(
  'load-tasks',
  `SELECT t.unit_id, t.ordinal, t.account_id, coalesce(a.person_id, a.id) AS person_id, t.host_id, t.anonymous, t.network,
          t.state, t.counts, t.credit_eligible AND h.held_reason IS NULL AS credit_eligible, t.outcome,
          extract(epoch FROM t.reported_at - t.assigned_at)::float8 * 1000 AS elapsed_ms,
          encode(t.digest, 'hex') AS digest, t.runtime_version, t.cycles, t.outputs_held, h.cores
     FROM unnest($1::bigint[]) AS wanted(id) JOIN task t ON t.unit_id = wanted.id
     JOIN account a ON a.id = t.account_id JOIN host h ON h.id = t.host_id
    WHERE t.unit_id BETWEEN $2 AND $3
    ORDER BY t.unit_id, t.ordinal`,
);

interface CreditRow {
  readonly unit_id: string;
  readonly ordinal: number;
  readonly entries: number;
  readonly cycles: string;
}

const loadCredit = new PreparedStatement<CreditRow>(
  'load-credit',
  `SELECT unit_id, ordinal, count(*)::integer AS entries, sum(cycles)::text AS cycles
     FROM credit_entry WHERE unit_id = ANY ($1::bigint[]) GROUP BY unit_id, ordinal`,
);

/** Credit entries of one task: it holds credit where their number is odd. */
interface TaskCredit {
  readonly entries: number;
  readonly cycles: bigint;
}
type UnitCredit = ReadonlyMap<number, TaskCredit>;
const NO_CREDIT: UnitCredit = new Map();

@Injectable()
export class UnitReader {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Units with all their tasks. */
  async load(unitIds: readonly number[]): Promise<LoadedUnits> {
    const pool = hotPool(this.dataSource);
    // Units before tasks: a unit that settles in between has another version when the decision is to be saved.
    const rows = await loadUnits.run(pool, [plainArray(unitIds), ...idBounds(unitIds)]);
    const [first] = rows;
    if (!first) return { units: [], coresByHost: new Map(), lastLinkId: '0' };
    const ids = rows.map(({ id }) => Number(id));
    const tasks = new Map(ids.map((id): [number, TaskRow[]] => [id, []]));
    const coresByHost = new Map<string, number>();
    for (const row of await loadTasks.run(pool, [plainArray(ids), ...idBounds(ids)])) {
      tasks.get(Number(row.unit_id))?.push(row);
      coresByHost.set(row.host_id, row.cores);
    }
    const credit = await this.loadCredit(ids.filter((id) => tasks.get(id)?.some(isJudged)));
    const units = rows.map((row) => {
      const unitId = Number(row.id);
      return this.toUnit(row, tasks.get(unitId) ?? [], credit.get(unitId) ?? NO_CREDIT);
    });
    return { units, coresByHost, lastLinkId: first.last_link_id };
  }

  /** Most units are settled once: only those that have been judged before can have entries. */
  private async loadCredit(unitIds: readonly number[]): Promise<ReadonlyMap<number, UnitCredit>> {
    const credit = new Map<number, Map<number, TaskCredit>>();
    if (unitIds.length === 0) return credit;
    for (const row of await loadCredit.run(hotPool(this.dataSource), [plainArray(unitIds)])) {
      const unitId = Number(row.unit_id);
      const ofUnit = credit.get(unitId) ?? new Map<number, TaskCredit>();
      ofUnit.set(row.ordinal, { entries: row.entries, cycles: BigInt(row.cycles) });
      credit.set(unitId, ofUnit);
    }
    return credit;
  }

  /** All tasks of one unit, in order of ordinal, not locked. */
  async tasksOf(unitId: number): Promise<readonly TaskView[]> {
    const rows = await loadTasks.run(hotPool(this.dataSource), [plainArray([unitId]), unitId, unitId]);
    return rows.map((row) => toTask(row, undefined));
  }

  private toUnit(row: UnitRow, tasks: readonly TaskRow[], credit: UnitCredit): LoadedUnit {
    return {
      unitId: Number(row.id),
      jobId: row.job_id,
      rules: {
        quorum: row.quorum,
        maxErrors: row.max_errors,
        maxTasks: row.max_tasks,
        distinct: row.distinct_by,
        allowSameNetwork: this.config.allowSameNetwork,
        mayEarnAlone: row.submitter_operates,
      },
      view: {
        state: row.state,
        wanted: row.wanted,
        canonicalOrdinal: row.canonical_ordinal,
        settledAtMs: row.settled_at?.getTime() ?? null,
        jobPaused: row.job_paused,
        jobEnded: row.job_ended,
        submitterPersonId: row.submitter_person_id,
        tasks: tasks.map((task) => toTask(task, credit.get(task.ordinal))),
      },
      blocked: row.blocked,
      creditEntries: new Map([...credit].map(([ordinal, { entries }]) => [ordinal, entries])),
      version: row.version,
    };
  }
}

function isJudged({ state }: TaskRow): boolean {
  return state === 'valid' || state === 'invalid';
}

/** Such a result has its host held, but whoever reports it with an accomplice may be faster than that. */
function isTooFast({ cycles, elapsed_ms: elapsedMs }: TaskRow): boolean {
  if (cycles === null || elapsedMs === null) return false;
  return holdReason({ cycles: BigInt(cycles), elapsedMs }, null) !== null;
}

function toTask(row: TaskRow, credit: TaskCredit | undefined): TaskView {
  return {
    ordinal: row.ordinal,
    accountId: row.account_id,
    personId: row.person_id,
    hostId: row.host_id,
    anonymous: row.anonymous,
    network: row.network,
    state: row.state,
    counts: row.counts,
    creditEligible: row.credit_eligible && !isTooFast(row),
    result:
      row.outcome === null || row.digest === null
        ? null
        : {
            outcome: row.outcome,
            digest: row.digest,
            runtimeVersion: row.runtime_version ?? '',
            cycles: BigInt(row.cycles ?? '0'),
            outputsHeld: row.outputs_held,
          },
    heldCredit: credit && credit.entries % 2 === 1 ? credit.cycles : null,
  };
}
