import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type AssimilateData, QUEUES, QueueService } from '../../queue/index.js';
import { Assimilator } from './assimilator.service.js';

/** Each holds a sort buffer and one database connection. */
const CONCURRENCY = 2;

/** Works on the queue `{assimilate}`. */
@Injectable()
export class AssimilateProcessor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly queues: QueueService,
    private readonly assimilator: Assimilator,
  ) {}

  onApplicationBootstrap(): void {
    this.queues.consume<AssimilateData>(
      QUEUES.assimilate,
      ({ data }, signal) => this.run(data.jobId, signal),
      {
        concurrency: CONCURRENCY,
      },
    );
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async run(jobId: string, lost: AbortSignal | undefined): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, ...(lost ? [lost] : [])]);
    try {
      await this.assimilator.assimilate(jobId, signal);
    } catch (error) {
      // Whoever sweeps next starts it again.
      if (!signal.aborted) throw error;
    }
  }
}
