import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { FillService } from './fill.service.js';
import { SweepService } from './sweep.service.js';

const FILL_EVERY_MS = 1_000;
/** While tickets are being used up, filling goes on at this pace. */
const FILL_AGAIN_MS = 100;
const SWEEP_EVERY_MS = 10_000;

/** Works on the queues `{fill}` and `{sweep}`, which schedulers feed: whichever coordinator is free takes the next turn. */
@Injectable()
export class BackgroundProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly queues: QueueService,
    private readonly filler: FillService,
    private readonly sweeper: SweepService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume(QUEUES.fill, async () => {
      if ((await this.filler.fill()) === 0) return;
      await this.queues.queue(QUEUES.fill).add({}, { dedupeId: 'again', delayMs: FILL_AGAIN_MS });
    });
    this.queues.consume(QUEUES.sweep, (_job, signal) => this.sweeper.sweep(signal));
    await this.queues.schedule(QUEUES.fill, 'fill', FILL_EVERY_MS, {});
    await this.queues.schedule(QUEUES.sweep, 'sweep', SWEEP_EVERY_MS, {});
  }
}
