import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { QUEUES, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { BlobSweep } from './blob-sweep.service.js';

const SWEEP_INTERVAL_MS = 10 * 60_000;

/** Works on the queue `{blob-sweep}`. */
@Injectable()
export class BlobSweepProcessor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly queues: QueueService,
    private readonly blobSweep: BlobSweep,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.queues.consume<object>(QUEUES.blobSweep, async () => {
      const swept = await this.blobSweep.sweep(this.stopping.signal);
      this.logger.info({ event: 'blobs-swept', ...swept });
    });
    await this.queues.schedule(QUEUES.blobSweep, 'blob-sweep', SWEEP_INTERVAL_MS, {});
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }
}
