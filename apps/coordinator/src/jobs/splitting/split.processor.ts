import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  QUEUES,
  QueueService,
  type AssimilateData,
  type CleanData,
  type SplitData,
} from '../../queue/index.js';
import { JobSplitter } from './job-splitter.service.js';

/** A long split leaves room for the short ones behind it. */
const CONCURRENCY = 4;

/** Works on the queue `{split}`. */
@Injectable()
export class SplitProcessor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly queues: QueueService,
    private readonly splitter: JobSplitter,
  ) {}

  onApplicationBootstrap(): void {
    this.queues.consume<SplitData>(QUEUES.split, ({ data }, signal) => this.run(data.jobId, signal), {
      concurrency: CONCURRENCY,
    });
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async fill(): Promise<void> {
    await this.queues.queue<object>(QUEUES.fill).add({}, { dedupeId: 'fill' });
  }

  private async run(jobId: string, lost: AbortSignal | undefined): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, ...(lost ? [lost] : [])]);
    try {
      switch (await this.splitter.split(jobId, { signal, onUnits: () => this.fill() })) {
        case 'ready':
          // Its units may all have been settled before the last one was known to be the last.
          await this.queues.queue<AssimilateData>(QUEUES.assimilate).add({ jobId }, { dedupeId: jobId });
          return;
        case 'failed':
          await this.queues.queue<CleanData>(QUEUES.clean).add({ jobId }, { dedupeId: jobId });
          return;
        case 'stopped':
      }
    } catch (error) {
      // Whoever sweeps next goes on from the last batch.
      if (!signal.aborted) throw error;
    }
  }
}
