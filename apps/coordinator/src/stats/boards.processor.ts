import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { BoardKeeper } from './board-keeper.service.js';
import { BoardRebuild } from './board-rebuild.service.js';
import { FairPace, type Pace } from './pace.js';

const REFRESH_EVERY_MS = 1_000;
const RECONCILE_EVERY_MS = 60_000;

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
      await work(new FairPace(signal));
    } catch (error) {
      // The next one begins where this one began.
      if (!signal.aborted) throw error;
    }
  }
}
