import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { BoardKeeper } from './board-keeper.service.js';

const REFRESH_EVERY_MS = 1_000;
const RECONCILE_EVERY_MS = 60_000;

/** Whichever coordinator is free keeps the boards. */
@Injectable()
export class BoardsProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly queues: QueueService,
    private readonly keeper: BoardKeeper,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.boards, () => this.keeper.refresh());
    this.queues.consume(QUEUES.boardUpkeep, () => this.keeper.reconcile());
    await this.queues.schedule(QUEUES.boards, 'boards', REFRESH_EVERY_MS, {});
    await this.queues.schedule(QUEUES.boardUpkeep, 'board-upkeep', RECONCILE_EVERY_MS, {});
  }
}
