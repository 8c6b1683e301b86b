import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { LATE_CREDIT_MS } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { hotPool, PreparedStatement, type Queryable } from '../database/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { type UnitPage, unitsWithTasks, workThroughJobs } from './search-units.js';
import { ValidationService } from './validation.service.js';

const REVIEW_EVERY_MS = 10_000;
/** A decision that began before the release may be saved after it, without credit for the host. */
const RELEASE_SETTLES_MS = 3_000;

/** Jobs whose late results are credited. */
const STILL_CREDITED = `deleted_at IS NULL
  AND (finished_at IS NULL OR finished_at > now() - ${LATE_CREDIT_MS} * interval '1 millisecond')`;

interface ReleasedRow {
  readonly id: string;
  readonly released_at: string;
}

const nextReleased = new PreparedStatement<ReleasedRow>(
  'next-released-host',
  `SELECT id, released_at::text AS released_at FROM host
    WHERE released_at < now() - ${RELEASE_SETTLES_MS} * interval '1 millisecond' ORDER BY id LIMIT 1`,
);

const findUnpaid = new PreparedStatement<UnitPage>(
  'find-unpaid-units',
  // Entries alternate: a task may have earned before, and hold nothing since that was taken back.
  unitsWithTasks(`t.host_id = $3 AND t.state = 'valid' AND (
    SELECT count(*) FROM credit_entry e WHERE e.unit_id = t.unit_id AND e.ordinal = t.ordinal) % 2 = 0`),
);

/** Grants hosts that were held without need what they earned meanwhile, as far back as late results are credited. */
@Injectable()
export class ReleasedHosts implements OnApplicationBootstrap {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queues: QueueService,
    private readonly validation: ValidationService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume<object>(QUEUES.release, (_job, signal) => this.payAll(signal));
    await this.queues.schedule(QUEUES.release, 'release', REVIEW_EVERY_MS, {});
  }

  /** It may be interrupted anywhere, and run twice. */
  async payAll(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const [host] = await nextReleased.run(this.pool, []);
      if (!host) return;
      const units = await this.examineUnpaid(host.id, signal);
      if (signal?.aborted) return;
      // Where it was held and released anew meanwhile, it is looked at once more.
      await this.pool.query(
        'UPDATE host SET released_at = NULL WHERE id = $1 AND released_at = $2::timestamptz',
        [host.id, host.released_at],
      );
      this.logger.info({ event: 'released-host-reviewed', hostId: host.id, units });
    }
  }

  private examineUnpaid(hostId: string, signal: AbortSignal | undefined): Promise<number> {
    return workThroughJobs(this.pool, STILL_CREDITED, findUnpaid, { by: hostId, signal }, (batch) =>
      this.validation.examine(batch),
    );
  }

  private get pool(): Queryable {
    return hotPool(this.dataSource);
  }
}
