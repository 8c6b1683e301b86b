import { Injectable } from '@nestjs/common';
import { formatTaskId, type HostTasks } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { HostsService } from '../hosts/index.js';
import type { Actor } from '../http/index.js';
import { WorkService } from './work.service.js';

/** Tasks that are listed; a host of many cores has more. */
const LISTED_MAX = 100;
/** Tasks have no index by host, which every report would pay for: results that wait are looked for among so many units. */
const UNITS_IN_FLIGHT_MAX = 5_000;

const count = z.coerce.number().int();
const runningRows = z.array(
  z.object({
    unit_id: z.coerce.number(),
    ordinal: z.number(),
    assigned_at: z.date(),
    deadline_at: z.date(),
    job_id: z.string(),
    job_name: z.string(),
    is_public: z.boolean(),
  }),
);
const waitingRow = z.tuple([z.object({ units: count, reported: count })]);

/** The tasks of one host, for its owner. */
@Injectable()
export class HostTasksService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hosts: HostsService,
    private readonly work: WorkService,
  ) {}

  async of(actor: Actor, hostId: string): Promise<HostTasks> {
    const host = await this.hosts.get(actor, hostId);
    const running = runningRows.parse(
      await this.dataSource.query(
        `SELECT l.unit_id, l.ordinal, t.assigned_at, l.deadline_at, j.id AS job_id, j.name AS job_name, j.is_public
           FROM lease l JOIN task t ON t.unit_id = l.unit_id AND t.ordinal = l.ordinal
                JOIN work_unit u ON u.id = l.unit_id JOIN job j ON j.id = u.job_id
          WHERE l.host_id = $1 ORDER BY t.assigned_at, l.unit_id LIMIT ${LISTED_MAX}`,
        [hostId],
      ),
    );
    return {
      counts: [
        { state: 'in-progress', count: host.inProgress },
        { state: 'reported', count: await this.reportedOf(hostId) },
        { state: 'valid', count: host.validTasks },
        { state: 'invalid', count: host.invalidTasks },
        { state: 'error', count: host.errorTasks },
        { state: 'lost', count: host.lostTasks },
        { state: 'aborted', count: host.abortedTasks },
      ],
      inProgress: running.map((row) => ({
        taskId: formatTaskId(row.unit_id, row.ordinal),
        job: { id: row.job_id, name: row.job_name, public: row.is_public },
        assignedAt: row.assigned_at.toISOString(),
        deadlineAt: row.deadline_at.toISOString(),
      })),
      cyclesPerSecond: this.work.speedOf(hostId),
      lastAnswer: this.work.lastAnswerTo(hostId),
    };
  }

  /** Results that wait for others' agreement; null where too many units are in flight to look at each. */
  private async reportedOf(hostId: string): Promise<number | null> {
    const [{ units, reported }] = waitingRow.parse(
      await this.dataSource.query(
        `WITH flight AS MATERIALIZED (
           SELECT u.id FROM job j JOIN work_unit u ON u.job_id = j.id AND u.state = 'open' AND u.ticketed_at IS NOT NULL
            WHERE j.state IN ('running', 'paused') LIMIT ${UNITS_IN_FLIGHT_MAX + 1})
         SELECT (SELECT count(*) FROM flight) AS units,
                (SELECT count(*) FROM flight JOIN task t ON t.unit_id = flight.id
                  WHERE t.host_id = $1 AND t.state = 'reported') AS reported`,
        [hostId],
      ),
    );
    return units > UNITS_IN_FLIGHT_MAX ? null : reported;
  }
}
