import { Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../config/index.js';
import { INSTALLATION, type Installation } from '../database/index.js';
import { QUEUE_BACKEND, QueueService } from './queue.service.js';
import type { QueueBackendConfig } from './queue-backend.js';

/** Redis where one is configured, else the database that the coordinator has anyway. */
function queueBackendOf(
  config: Config,
  dataSource: DataSource,
  { namespace }: Installation,
): QueueBackendConfig {
  if (config.redisUrl !== null) return { kind: 'redis', url: config.redisUrl, prefix: namespace };
  const { options } = dataSource;
  if (options.type !== 'postgres' || options.url === undefined)
    throw new TypeError(
      `queues need REDIS_URL or a Postgres data source with an address, not ${options.type}`,
    );
  return { kind: 'postgres', connectionString: options.url };
}

/** Gives {@link QueueService} to every feature. */
@Global()
@Module({
  providers: [
    { provide: QUEUE_BACKEND, useFactory: queueBackendOf, inject: [CONFIG, DataSource, INSTALLATION] },
    QueueService,
  ],
  exports: [QueueService],
})
export class QueueModule {}
