import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { BoardKeeper } from './board-keeper.service.js';
import { BoardRebuild } from './board-rebuild.service.js';
import { Pace } from './pace.js';

const REFRESH_EVERY_MS = 1_000;
const RECONCILE_EVERY_MS = 60_000;
const REFRESH_PAUSE_MAX_MS = 30_000;
const RECONCILE_PAUSE_MAX_MS = 600_000;

/** Whichever coordinator is free keeps the boards. */
@Injectable()
export class BoardsProcessor implements OnApplicationBootstrap {
  private lastMs = performance.now();
  private readonly refreshing = new Pace(REFRESH_PAUSE_MAX_MS);
  private readonly reconciling = new Pace(RECONCILE_PAUSE_MAX_MS);

  constructor(
    private readonly queues: QueueService,
    private readonly keeper: BoardKeeper,
    private readonly ledger: BoardRebuild,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.boards, () => this.refreshing.run(() => this.refresh()));
    this.queues.consume(QUEUES.boardUpkeep, () => this.reconciling.run(() => this.keeper.reconcile()));
    this.queues.consume(QUEUES.boardRebuild, () => this.ledger.rebuild());
    await this.queues.schedule(QUEUES.boards, 'boards', REFRESH_EVERY_MS, {});
    await this.queues.schedule(QUEUES.boardUpkeep, 'board-upkeep', RECONCILE_EVERY_MS, {});
  }

  private async refresh(): Promise<void> {
    const startMs = performance.now();
    await this.keeper.refresh((startMs - this.lastMs) / 1000);
    this.lastMs = startMs;
  }
}
