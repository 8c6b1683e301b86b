import { Injectable } from '@nestjs/common';
import {
  formatTaskId,
  type HeartbeatRequest,
  type HeartbeatResponse,
  parseTaskId,
  type TaskId,
  type TaskState,
  type UnitState,
} from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { hotPool, plainArray, PreparedStatement, type Queryable, tokenArray } from '../database/index.js';
import { countEndedTasks } from '../hosts/index.js';
import { Examiner } from '../validation/index.js';
import type { HostContext } from './host-directory.js';

/** What a heartbeat adds to a browser's lease. */
const BROWSER_LEASE_MS = 10 * 60 * 1000;
/** An answer that has not reached its host after this never will. */
const ANSWER_ARRIVED_MS = 30_000;
/** Leases that one sweep statement ends. */
const EXPIRY_BATCH = 2_000;
/** Leases that one sweep looks at for results that nobody wants or sends; the next one goes on behind them. */
const UNWANTED_PAGE = 2_000;

interface RunningRow {
  readonly unit_id: string;
  readonly ordinal: number;
  readonly held: boolean;
  readonly task_state: TaskState | null;
  readonly unit_state: UnitState | null;
}

const renewLeases = new PreparedStatement<RunningRow>(
  'renew-leases',
  `WITH running AS (
     SELECT * FROM unnest($2::bigint[], $3::smallint[]) AS r(unit_id, ordinal)
   ), renewed AS (
     UPDATE lease l SET expires_at = least(l.deadline_at, now() + $4 * interval '1 millisecond')
       FROM running r
      WHERE $4::bigint IS NOT NULL AND l.host_id = $1 AND l.unit_id = r.unit_id AND l.ordinal = r.ordinal
   )
   SELECT r.unit_id, r.ordinal, l.unit_id IS NOT NULL AS held, t.state AS task_state, u.state AS unit_state
     FROM running r
     LEFT JOIN lease l ON l.host_id = $1 AND l.unit_id = r.unit_id AND l.ordinal = r.ordinal
     LEFT JOIN task t ON t.unit_id = r.unit_id AND t.ordinal = r.ordinal AND t.host_id = $1
     LEFT JOIN work_unit u ON u.id = t.unit_id`,
);

type UnwantedRow = Pick<RunningRow, 'unit_id' | 'ordinal' | 'unit_state'> & {
  readonly host_id: string;
  readonly detached: boolean;
};

interface EndedRow {
  readonly unit_id: string;
  readonly host_id: string;
}

/**
 * `which` leases; the task's new state, $1, tells why they ended. Tasks in their order and then their leases, as reports and
 * decisions do, which are about the same ones at the same moment: the other way round, both would wait for each other.
 */
const END_LEASES = (which: string) => `
  WITH due AS MATERIALIZED (
    SELECT l.host_id, l.unit_id, l.ordinal, EXISTS (SELECT FROM work_unit u WHERE u.id = l.unit_id) AS has_unit
      FROM lease l WHERE ${which} ORDER BY l.unit_id, l.ordinal
  ), ended AS (
    UPDATE task t SET state = $1, counts = false FROM due d
     WHERE d.has_unit AND t.unit_id = d.unit_id AND t.ordinal = d.ordinal AND t.state = 'in-progress'
    RETURNING t.unit_id, t.host_id
  ), orphaned AS (
    -- Claimed while their job was removed: by no unit would anybody find them again.
    DELETE FROM task t USING due d WHERE NOT d.has_unit AND t.unit_id = d.unit_id AND t.ordinal = d.ordinal
  ), released AS (
    DELETE FROM lease l USING due d
     WHERE l.host_id = d.host_id AND l.unit_id = d.unit_id AND l.ordinal = d.ordinal
       AND (SELECT count(*) FROM ended) >= 0
  )
  SELECT unit_id, host_id FROM ended`;

const returnSome = new PreparedStatement<EndedRow>(
  'return-leases',
  END_LEASES(`l.host_id = $2 AND (l.unit_id, l.ordinal) IN (
    SELECT * FROM unnest($3::bigint[], $4::smallint[]))`),
);
const returnUnknown = new PreparedStatement<EndedRow>(
  'return-unknown-leases',
  END_LEASES(`l.host_id = $2 AND NOT EXISTS (
    SELECT FROM unnest($3::bigint[], $4::smallint[]) AS h(unit_id, ordinal)
     WHERE h.unit_id = l.unit_id AND h.ordinal = l.ordinal)
    AND EXISTS (SELECT FROM task k WHERE k.unit_id = l.unit_id AND k.ordinal = l.ordinal
                   AND k.assigned_at < now() - ${ANSWER_ARRIVED_MS} * interval '1 millisecond')`),
);
const returnAll = new PreparedStatement<EndedRow>('return-all-leases', END_LEASES('l.host_id = $2'));
const expireLeases = new PreparedStatement<EndedRow>(
  'expire-leases',
  END_LEASES(`(l.host_id, l.unit_id, l.ordinal) IN (
    SELECT host_id, unit_id, ordinal FROM lease WHERE expires_at < now()
     ORDER BY expires_at LIMIT ${EXPIRY_BATCH})`),
);

/** A lease, as the table is ordered. */
type Place = readonly [hostId: string, unitId: string, ordinal: number];
const BEGINNING: Place = ['0', '0', 0];

/**
 * Leases behind a place, to find those of units that are final or gone, and of hosts that were detached. A claim and what settles
 * its unit or detaches its host do not see each other, and neither waits for the other.
 */
const findUnwanted = new PreparedStatement<UnwantedRow>(
  'find-unwanted-leases',
  `WITH page AS MATERIALIZED (
     SELECT host_id, unit_id, ordinal FROM lease WHERE (host_id, unit_id, ordinal) > ($1, $2, $3)
      ORDER BY host_id, unit_id, ordinal LIMIT ${UNWANTED_PAGE}
   )
   SELECT p.host_id, p.unit_id, p.ordinal, u.state AS unit_state, h.detached_at IS NOT NULL AS detached
     FROM page p LEFT JOIN work_unit u ON u.id = p.unit_id LEFT JOIN host h ON h.id = p.host_id
    ORDER BY p.host_id, p.unit_id, p.ordinal`,
);
const endUnwanted = new PreparedStatement<EndedRow>(
  'end-unwanted-leases',
  END_LEASES(`(l.host_id, l.unit_id, l.ordinal) IN (
    SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::smallint[]))`),
);

/** Tasks in progress: kept alive, given back, or taken back when their time is over. */
@Injectable()
export class LeasesService {
  private lookedAt = BEGINNING;

  constructor(
    private readonly dataSource: DataSource,
    private readonly examiner: Examiner,
  ) {}

  /** Tells of each running task whether to go on with it, after taking back what the host returns. */
  async renew(host: HostContext, body: HeartbeatRequest): Promise<HeartbeatResponse['tasks']> {
    if (body.leaving) await this.end('aborted', await returnAll.run(this.pool, ['aborted', host.hostId]));
    else if (body.returned.length > 0) {
      const returned = body.returned.map(parseTaskId);
      const rows = await returnSome.run(this.pool, [
        'aborted',
        host.hostId,
        plainArray(returned.map(({ unitId }) => unitId)),
        plainArray(returned.map(({ ordinal }) => ordinal)),
      ]);
      await this.end('aborted', rows);
    }
    if (body.running.length === 0) return [];
    const running = body.running.map(({ taskId }) => parseTaskId(taskId));
    const rows = await renewLeases.run(this.pool, [
      host.hostId,
      plainArray(running.map(({ unitId }) => unitId)),
      plainArray(running.map(({ ordinal }) => ordinal)),
      host.kind === 'browser' ? BROWSER_LEASE_MS : null,
    ]);
    await this.endWhere(
      rows.filter((row) => row.held && !isWanted(row)).map((row) => placeOf(row, host.hostId)),
    );
    return rows.map((row) => {
      const taskId = formatTaskId(Number(row.unit_id), row.ordinal);
      const reason = abortReason(row);
      return reason === null ? { taskId, action: 'keep' } : { taskId, action: 'abort', reason };
    });
  }

  /** Takes back what the host was given in answers that never reached it. */
  async reconcile(hostId: string, holding: readonly TaskId[]): Promise<void> {
    const held = holding.map(parseTaskId);
    const rows = await returnUnknown.run(this.pool, [
      'aborted',
      hostId,
      plainArray(held.map(({ unitId }) => unitId)),
      plainArray(held.map(({ ordinal }) => ordinal)),
    ]);
    await this.end('aborted', rows);
  }

  /**
   * Hosts that are gone for good hold nothing, and nobody is shown their tasks. Called inside the transaction that detaches them.
   *
   * @returns tells who decides on the tasks' units; to be called after the commit
   */
  async returnAllOf(manager: EntityManager, hostIds: readonly string[]): Promise<() => void> {
    const rows: EndedRow[] = await manager.query(END_LEASES('l.host_id = ANY ($2::bigint[])'), [
      'aborted',
      hostIds,
    ]);
    return () => this.announce(rows);
  }

  /** Ends leases whose time is over. @returns how many; call again while it is not 0 */
  async expire(): Promise<number> {
    const rows = await expireLeases.run(this.pool, ['lost']);
    await this.end('lost', rows);
    return rows.length;
  }

  /** Ends leases on units that want no more results, and of hosts that are gone, a part of all leases at a time. */
  async endUnwanted(): Promise<void> {
    const page = await findUnwanted.run(this.pool, [...this.lookedAt]);
    const last = page.length === UNWANTED_PAGE ? page.at(-1) : undefined;
    this.lookedAt = last ? placeOf(last, last.host_id) : BEGINNING;
    const unwanted = page.filter((row) => row.detached || !isWanted(row));
    await this.endWhere(unwanted.map((row) => placeOf(row, row.host_id)));
  }

  private async endWhere(places: readonly Place[]): Promise<void> {
    if (places.length === 0) return;
    const rows = await endUnwanted.run(this.pool, [
      'aborted',
      tokenArray(places.map(([hostId]) => hostId)),
      tokenArray(places.map(([, unitId]) => unitId)),
      plainArray(places.map(([, , ordinal]) => ordinal)),
    ]);
    await this.end('aborted', rows);
  }

  private async end(as: 'lost' | 'aborted', rows: readonly EndedRow[]): Promise<void> {
    this.announce(rows);
    await countEndedTasks(
      this.pool,
      rows.map(({ host_id: hostId }) => ({
        hostId,
        lost: Number(as === 'lost'),
        aborted: Number(as === 'aborted'),
      })),
    );
  }

  private announce(rows: readonly EndedRow[]): void {
    this.examiner.announce(rows.map((row) => Number(row.unit_id)));
  }

  private get pool(): Queryable {
    return hotPool(this.dataSource);
  }
}

function placeOf(
  { unit_id: unitId, ordinal }: Pick<RunningRow, 'unit_id' | 'ordinal'>,
  hostId: string,
): Place {
  return [hostId, unitId, ordinal];
}

function isWanted({ unit_state: unit }: Pick<RunningRow, 'unit_state'>): boolean {
  return unit === 'open' || unit === 'awaiting-output';
}

function abortReason(row: RunningRow): string | null {
  const { held, task_state: task, unit_state: unit } = row;
  if (task === null) return 'this host has no such task';
  if (!isWanted(row)) return `the work unit is ${unit ?? 'gone'}; its result is no longer needed`;
  // The result of a lost task still counts if it comes before the unit settles.
  return held || task === 'lost' ? null : `the task is ${task}`;
}
