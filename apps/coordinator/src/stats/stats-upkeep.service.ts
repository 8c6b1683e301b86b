import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import type { Actor } from '../http/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { StatisticsKeeper } from './statistics-keeper.service.js';

/** What operators have made anew from the ledger, with a record of it. */
@Injectable()
export class StatsUpkeep {
  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
    private readonly keeper: StatisticsKeeper,
    private readonly queues: QueueService,
  ) {}

  async recount(actor: Actor, day: string): Promise<void> {
    await this.audit.record(this.dataSource.manager, {
      accountId: actor.accountId,
      action: 'statistics.recount',
      subject: `day ${day}`,
    });
    await this.keeper.recount(day);
  }

  /** Asked for twice while it waits, it is done once. */
  async rebuildBoards(actor: Actor): Promise<void> {
    await this.audit.record(this.dataSource.manager, {
      accountId: actor.accountId,
      action: 'boards.rebuild',
      subject: 'leaderboards',
    });
    await this.queues.queue(QUEUES.boardRebuild).add({}, { dedupeId: 'all' });
  }
}
