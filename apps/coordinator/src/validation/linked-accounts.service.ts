import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { UnitEvent } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { hotPool, PreparedStatement, tokenArray } from '../database/index.js';
import { type LinkData, QUEUES, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { ValidationService } from './validation.service.js';

/** Units that one statement looks through. */
const UNITS_PER_PAGE = 20_000;
const EVENTS_PER_BATCH = 500;

interface PageRow {
  readonly last_id: string | null;
  readonly shared: string[] | null;
}

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
 * Once accounts turn out to be one person's, units that only they validated are not validated. Ended jobs keep their
 * answers. Tasks have no index by account, since linking is rare: the units of running jobs are looked through instead.
 */
@Injectable()
export class LinkedAccounts implements OnApplicationBootstrap {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queues: QueueService,
    private readonly validation: ValidationService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.queues.consume<LinkData>(QUEUES.link, ({ data }, signal) =>
      this.reconsider(data.accountIds, signal),
    );
  }

  async reconsider(accountIds: readonly string[], signal?: AbortSignal): Promise<void> {
    const { rows } = await hotPool(this.dataSource).query<{ id: string }>(
      "SELECT id FROM job WHERE state IN ('running', 'paused') ORDER BY id",
    );
    let reconsidered = 0;
    for (const { id } of rows) {
      let after = '0';
      while (!signal?.aborted) {
        const [page] = await findShared.run(hotPool(this.dataSource), [id, after, tokenArray(accountIds)]);
        if (!page || page.last_id === null) break;
        reconsidered += await this.apply((page.shared ?? []).map(Number));
        after = page.last_id;
      }
    }
    this.logger.info({ event: 'linked-accounts-reconsidered', accountIds, units: reconsidered });
  }

  private async apply(unitIds: readonly number[]): Promise<number> {
    // The rows already tell who is one person: the event only has to name them equal.
    const linked: UnitEvent = { kind: 'accounts-linked', personId: '', formerPersonId: '' };
    for (let at = 0; at < unitIds.length; at += EVENTS_PER_BATCH) {
      await this.validation.apply(
        new Map(unitIds.slice(at, at + EVENTS_PER_BATCH).map((id) => [id, linked])),
      );
    }
    return unitIds.length;
  }
}
