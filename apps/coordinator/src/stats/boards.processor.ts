import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { FairPace, type Pace } from '../database/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { BoardKeeper } from './board-keeper.service.js';
import { BoardRebuild } from './board-rebuild.service.js';

const REFRESH_EVERY_MS = 1_000;
const RECONCILE_EVERY_MS = 60_000;
/** Where thousands earn at once counting is costly, and nobody waits for it. */
const TIME_SHARE = 1 / 30;

/** Whichever coordinator is free keeps the boards. */
@Injectable()
export class BoardsProcessor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly queues: QueueService,
    private readonly keeper: BoardKeeper,
    private readonly ledger: BoardRebuild,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.boards, () => this.paced((pace) => this.keeper.refresh(pace)));
    this.queues.consume(QUEUES.boardUpkeep, () => this.paced((pace) => this.keeper.reconcile(pace)));
    this.queues.consume(QUEUES.boardRebuild, () => this.ledger.rebuild());
    await this.queues.schedule(QUEUES.boards, 'boards', REFRESH_EVERY_MS, {});
    await this.queues.schedule(QUEUES.boardUpkeep, 'board-upkeep', RECONCILE_EVERY_MS, {});
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async paced(work: (pace: Pace) => Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    try {
      await work(new FairPace(TIME_SHARE, signal));
    } catch (error) {
      // The next one begins where this one began.
      if (!signal.aborted) throw error;
    }
  }
}
