import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { WorkersSeen } from '../../database/index.js';
import { type CleanData, QUEUES, QueueService } from '../../queue/index.js';
import { JobCleaner } from './job-cleaner.service.js';
import { JobSweep } from './job-sweep.service.js';

const SWEEP_INTERVAL_MS = 10_000;
/** Far more often than what is taken for silence. */
const NOTE_EVERY_MS = 10_000;

/** Works on the queues `{clean}` and `{job-sweep}`, and lets those who wait for a worker know that there is one. */
@Injectable()
export class UpkeepProcessor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private noting: NodeJS.Timeout | undefined;

  constructor(
    private readonly workersSeen: WorkersSeen,
    private readonly queues: QueueService,
    private readonly cleaner: JobCleaner,
    private readonly jobSweep: JobSweep,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.workersSeen.note();
    // Not in the sweeps, which may be long or wait for a queue: whoever is at work says so.
    this.noting = setInterval(() => {
      // A database that is away says nothing either; the next time says it as well.
      this.workersSeen.note().catch(() => undefined);
    }, NOTE_EVERY_MS);
    this.queues.consume<CleanData>(QUEUES.clean, ({ data }, signal) => this.clean(data.jobId, signal));
    this.queues.consume<object>(QUEUES.jobSweep, async () => {
      await this.jobSweep.sweep();
    });
    await this.queues.schedule(QUEUES.jobSweep, 'job-sweep', SWEEP_INTERVAL_MS, {});
  }

  onModuleDestroy(): void {
    clearInterval(this.noting);
    this.stopping.abort();
  }

  private async clean(jobId: string, lost: AbortSignal | undefined): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, ...(lost ? [lost] : [])]);
    try {
      await this.cleaner.clean(jobId, signal);
    } catch (error) {
      // Whoever sweeps next goes on.
      if (!signal.aborted) throw error;
    }
  }
}
