import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Batcher } from '../database/index.js';
import { QUEUES, QueueService, type ValidateData } from '../queue/index.js';
import { ValidationService } from './validation.service.js';

/** Queue jobs that are taken at once; under load they gather to larger batches. */
const QUEUE_JOBS = 16;
const BATCH_UNITS = 1_024;
const WINDOW_MS = 5;
/** Batches start at least this far apart unless they are full: large ones touch each account and host once. */
const INTERVAL_MS = 100;
const BUSY_INTERVAL_MS = 400;

/** Works on the queue `{validate}`. */
@Injectable()
export class ValidateProcessor implements OnApplicationBootstrap {
  private readonly batcher: Batcher<ValidateData, null>;

  constructor(
    private readonly queues: QueueService,
    validation: ValidationService,
  ) {
    this.batcher = new Batcher(
      async (jobs) => {
        await validation.examine(jobs.flatMap(({ units }) => units));
        return jobs.map(() => null);
      },
      {
        maxItems: BATCH_UNITS,
        weigh: ({ units }) => units.length,
        windowMs: WINDOW_MS,
        intervalMs: INTERVAL_MS,
        busyIntervalMs: BUSY_INTERVAL_MS,
        // Batches of one job share its tally: more at once would wait for each other.
        concurrency: 1,
        maxWaiting: QUEUE_JOBS * 2,
      },
    );
  }

  onApplicationBootstrap(): void {
    this.queues.consume<ValidateData>(
      QUEUES.validate,
      async ({ data }) => {
        await this.batcher.submit(data);
      },
      { concurrency: QUEUE_JOBS },
    );
  }
}
