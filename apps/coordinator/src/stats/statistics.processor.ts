import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { StatisticsKeeper } from './statistics-keeper.service.js';

const COUNT_EVERY_MS = 10_000;
const CLOSE_EVERY_MS = 600_000;

/** Whichever coordinator is free keeps the statistics. */
@Injectable()
export class StatisticsProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly queues: QueueService,
    private readonly keeper: StatisticsKeeper,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.statistics, () => this.keeper.count());
    this.queues.consume(QUEUES.statisticsClose, () => this.keeper.closeDays());
    await this.queues.schedule(QUEUES.statistics, 'statistics', COUNT_EVERY_MS, {});
    await this.queues.schedule(QUEUES.statisticsClose, 'statistics-close', CLOSE_EVERY_MS, {});
  }
}
