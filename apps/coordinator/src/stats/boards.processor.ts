import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { BoardKeeper } from './board-keeper.service.js';

const REFRESH_EVERY_MS = 1_000;
const RECONCILE_EVERY_MS = 60_000;
/** Where thousands earn at once, taking it in is costly: a process spends no more than this share of its time on it. */
const MAX_SHARE = 1 / 40;
const LONGEST_PAUSE_MS = 30_000;

/** Whichever coordinator is free keeps the boards. */
@Injectable()
export class BoardsProcessor implements OnApplicationBootstrap {
  private lastMs = performance.now();
  private notBeforeMs = 0;

  constructor(
    private readonly queues: QueueService,
    private readonly keeper: BoardKeeper,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.boards, () => this.refresh());
    this.queues.consume(QUEUES.boardUpkeep, () => this.keeper.reconcile());
    await this.queues.schedule(QUEUES.boards, 'boards', REFRESH_EVERY_MS, {});
    await this.queues.schedule(QUEUES.boardUpkeep, 'board-upkeep', RECONCILE_EVERY_MS, {});
  }

  private async refresh(): Promise<void> {
    const startMs = performance.now();
    if (startMs < this.notBeforeMs) return;
    await this.keeper.refresh((startMs - this.lastMs) / 1000);
    this.lastMs = startMs;
    const endMs = performance.now();
    this.notBeforeMs = endMs + Math.min(LONGEST_PAUSE_MS, (endMs - startMs) / MAX_SHARE - REFRESH_EVERY_MS);
  }
}
