import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { FairPace } from '../database/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { StatisticsKeeper } from './statistics-keeper.service.js';

const COUNT_EVERY_MS = 10_000;
const CLOSE_EVERY_MS = 600_000;
/** Where thousands earn at once counting is costly, and nobody waits for it. */
const TIME_SHARE = 1 / 30;

/** Whichever coordinator is free keeps the statistics. */
@Injectable()
export class StatisticsProcessor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly queues: QueueService,
    private readonly keeper: StatisticsKeeper,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.statistics, () => this.count());
    this.queues.consume(QUEUES.statisticsClose, () => this.keeper.closeDays());
    await this.queues.schedule(QUEUES.statistics, 'statistics', COUNT_EVERY_MS, {});
    await this.queues.schedule(QUEUES.statisticsClose, 'statistics-close', CLOSE_EVERY_MS, {});
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async count(): Promise<void> {
    const { signal } = this.stopping;
    try {
      await this.keeper.count(undefined, new FairPace(TIME_SHARE, signal));
    } catch (error) {
      // The next one goes on behind the last slice.
      if (!signal.aborted) throw error;
    }
  }
}
