import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { UnitEvent } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { hotPool, PreparedStatement, type Queryable, tokenArray } from '../database/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { inBatches, type UnitPage, unitsWithTasks, workThroughJobs } from './search-units.js';
import { ValidationService } from './validation.service.js';

const REVIEW_EVERY_MS = 10_000;
/** A decision whose statement runs while accounts are linked does not see it; by then it has ended. */
export const LINK_SETTLES_MS = 3_000;
/** How long a decision may have been thought about before it is saved, and still be refused for not knowing of a link. */
const REMEMBERED_HOURS = 24;

/** Jobs whose answer can still change: units are computed while later ones are made, and until the answer is written. */
const STILL_OPEN = "state IN ('splitting', 'running', 'paused', 'assimilating')";

interface ReviewRow {
  readonly id: string;
  readonly account_ids: readonly string[];
  /** Days since there were two of the accounts: before, there is nothing that they have in common. */
  readonly days: number;
  /** The instant that these days are counted back from. */
  readonly until: string;
}

const nextReview = new PreparedStatement<ReviewRow>(
  'next-link-review',
  `SELECT r.id, r.account_ids::text[] AS account_ids, now()::text AS until,
          (SELECT ceil(extract(epoch FROM now() - a.created_at) / 86400)::integer FROM account a
            WHERE a.id = ANY (r.account_ids) ORDER BY a.created_at OFFSET 1 LIMIT 1) AS days
     FROM link_review r
    WHERE r.reviewed_at IS NULL AND r.linked_at < now() - ${LINK_SETTLES_MS} * interval '1 millisecond'
    ORDER BY r.id LIMIT 1`,
);

const findShared = new PreparedStatement<UnitPage>(
  'find-shared-units',
  unitsWithTasks('t.account_id = ANY ($3::bigint[]) AND t.counts GROUP BY t.unit_id HAVING count(*) > 1'),
);

/**
 * Units that one person has earned twice, or for a job of their own. Credit entries are found by their time, a day each, and
 * the others of their unit by its key.
 */
const findEarnedWrongly = new PreparedStatement<{ readonly unit_id: string }>(
  'find-units-earned-wrongly',
  `SELECT DISTINCT e.unit_id FROM credit_entry e
    WHERE e.granted_at > $3::timestamptz - $2 * interval '1 day'
      AND e.granted_at <= $3::timestamptz - ($2 - 1) * interval '1 day'
      AND e.account_id = ANY ($1::bigint[])
      AND (EXISTS (SELECT FROM credit_entry o WHERE o.unit_id = e.unit_id AND o.ordinal <> e.ordinal
                                                AND o.account_id = ANY ($1::bigint[]))
           OR EXISTS (SELECT FROM work_unit u JOIN job j ON j.id = u.job_id
                       WHERE u.id = e.unit_id AND j.account_id = ANY ($1::bigint[])))`,
);

/**
 * Once accounts turn out to be one person's, units that only they validated are not validated, what they earned twice is
 * theirs once, and what one of them earned by a job of another is not theirs. Ended jobs keep their answers, deleted ones
 * their credit. What is to be looked at stands in the database, written by the transaction that linked the accounts; the
 * queue only says when.
 */
@Injectable()
export class LinkedAccounts implements OnApplicationBootstrap {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queues: QueueService,
    private readonly validation: ValidationService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume<object>(QUEUES.link, (_job, signal) => this.reviewAll(signal));
    await this.queues.schedule(QUEUES.link, 'link', REVIEW_EVERY_MS, {});
  }

  /** Looks at all links that nobody has looked at yet. It may be interrupted anywhere, and run twice. */
  async reviewAll(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const [review] = await nextReview.run(this.pool, []);
      if (!review) break;
      const reopened = await this.reviewOpenJobs(review.account_ids, signal);
      const corrected = await this.reviewCredit(review, signal);
      if (signal?.aborted) return;
      await this.pool.query('UPDATE link_review SET reviewed_at = now() WHERE id = $1', [review.id]);
      this.logger.info({ event: 'link-reviewed', accountIds: review.account_ids, reopened, corrected });
    }
    await this.pool.query(
      `DELETE FROM link_review WHERE reviewed_at < now() - interval '${REMEMBERED_HOURS} hours'`,
    );
  }

  private reviewOpenJobs(accountIds: readonly string[], signal: AbortSignal | undefined): Promise<number> {
    const of = { by: tokenArray(accountIds), signal };
    return workThroughJobs(this.pool, STILL_OPEN, findShared, of, (batch) =>
      this.validation.apply(new Map(batch.map((unitId) => [unitId, LINKED]))),
    );
  }

  private async reviewCredit(
    { account_ids: accountIds, days, until }: ReviewRow,
    signal?: AbortSignal,
  ): Promise<number> {
    let units = 0;
    for (let day = days; day > 0 && !signal?.aborted; day -= 1) {
      const found = await findEarnedWrongly.run(this.pool, [tokenArray(accountIds), day, until]);
      const unitIds = found.map((row) => Number(row.unit_id));
      await inBatches(unitIds, (batch) => this.validation.examine(batch));
      units += unitIds.length;
    }
    return units;
  }

  private get pool(): Queryable {
    return hotPool(this.dataSource);
  }
}

/** The rows already tell who is one person: the event only has to name them equal. */
const LINKED: UnitEvent = { kind: 'accounts-linked', personId: '', formerPersonId: '' };
