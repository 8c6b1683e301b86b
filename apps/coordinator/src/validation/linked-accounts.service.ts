import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { UnitEvent } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { hotPool, PreparedStatement, type Queryable, tokenArray } from '../database/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { ValidationService } from './validation.service.js';

const REVIEW_EVERY_MS = 10_000;
/** A decision whose statement runs while accounts are linked does not see it; by then it has ended. */
export const LINK_SETTLES_MS = 3_000;
/** How long a decision may have been thought about before it is saved, and still be refused for not knowing of a link. */
const REMEMBERED_HOURS = 24;
/** Units that one statement looks through. */
const UNITS_PER_PAGE = 20_000;
const UNITS_PER_BATCH = 500;

interface ReviewRow {
  readonly id: string;
  readonly account_ids: readonly string[];
  /** Days since there were two of the accounts: before, there is nothing that they have in common. */
  readonly days: number;
  /** The instant that these days are counted back from. */
  readonly until: string;
}

interface PageRow {
  readonly last_id: string | null;
  readonly shared: string[] | null;
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

/** Tasks have no index by account, since linking is rare: the units of jobs that have not ended are looked through instead. */
const findShared = new PreparedStatement<PageRow>(
  'find-shared-units',
  `WITH page AS MATERIALIZED (
     SELECT id FROM work_unit WHERE job_id = $1 AND id > $2 ORDER BY job_id, id LIMIT ${UNITS_PER_PAGE}
   )
   SELECT (SELECT max(id) FROM page) AS last_id, array_agg(unit_id ORDER BY unit_id) AS shared FROM (
     SELECT t.unit_id FROM page JOIN task t ON t.unit_id = page.id
      WHERE t.account_id = ANY ($3::bigint[]) AND t.counts GROUP BY t.unit_id HAVING count(*) > 1) found`,
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
 * theirs once, and what one of them earned by a job of another is not theirs. Ended jobs keep their answers, deleted ones their credit. What is to be looked at stands in the database,
 * written by the transaction that linked the accounts; the queue only says when.
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

  /** Jobs whose answer can still change: units are computed while later ones are made, and until the answer is written. */
  private async reviewOpenJobs(accountIds: readonly string[], signal?: AbortSignal): Promise<number> {
    const { rows } = await this.pool.query<{ id: string }>(
      "SELECT id FROM job WHERE state IN ('splitting', 'running', 'paused', 'assimilating') ORDER BY id",
    );
    let units = 0;
    for (const { id } of rows) {
      let after = '0';
      while (!signal?.aborted) {
        const [page] = await findShared.run(this.pool, [id, after, tokenArray(accountIds)]);
        if (!page || page.last_id === null) break;
        const shared = (page.shared ?? []).map(Number);
        await inBatches(shared, (batch) => this.validation.apply(new Map(batch.map((at) => [at, LINKED]))));
        units += shared.length;
        after = page.last_id;
      }
    }
    return units;
  }

  private async reviewCredit(
    { account_ids: accountIds, days, until }: ReviewRow,
    signal?: AbortSignal,
  ): Promise<number> {
    let units = 0;
    for (let day = days; day > 0 && !signal?.aborted; day -= 1) {
      const found = await findEarnedWrongly.run(this.pool, [tokenArray(accountIds), day, until]);
      const unitIds = found.map((row) => Number(row.unit_id));
      await inBatches(unitIds, (batch) => this.validation.examine(batch, { all: true }));
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

async function inBatches(
  unitIds: readonly number[],
  work: (batch: readonly number[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < unitIds.length; at += UNITS_PER_BATCH)
    await work(unitIds.slice(at, at + UNITS_PER_BATCH));
}
