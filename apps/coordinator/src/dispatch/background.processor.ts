import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { FillService } from './fill.service.js';
import { SweepService } from './sweep.service.js';

const FILL_EVERY_MS = 1_000;
/** While tickets are being used up, one queue job goes on filling at this pace, and so long. */
const FILL_AGAIN_MS = 200;
const FILL_FOR_MS = 10_000;
const SWEEP_EVERY_MS = 10_000;

/** Works on the queues `{fill}` and `{sweep}`, which schedulers feed: whichever coordinator is free takes the next turn. */
@Injectable()
export class BackgroundProcessor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly queues: QueueService,
    private readonly filler: FillService,
    private readonly sweeper: SweepService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.fill, () => this.fill());
    this.queues.consume(QUEUES.sweep, () => this.sweeper.sweep(this.stopping.signal));
    await this.queues.schedule(QUEUES.fill, 'fill', FILL_EVERY_MS, {});
    await this.queues.schedule(QUEUES.sweep, 'sweep', SWEEP_EVERY_MS, {});
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async fill(): Promise<void> {
    const endMs = performance.now() + FILL_FOR_MS;
    while (!this.stopping.signal.aborted && (await this.filler.fill()) > 0 && performance.now() < endMs) {
      await delay(FILL_AGAIN_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }
}
