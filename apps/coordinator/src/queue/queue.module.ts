import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Config } from '../config/index.js';
import { QUEUE_BACKEND, QueueService } from './queue.service.js';
import type { QueueBackendConfig } from './queue-backend.js';

/** Redis where one is configured, else the database that the coordinator has anyway. */
export function queueBackendOf(config: Config, dataSource: DataSource): QueueBackendConfig {
  if (config.redisUrl !== null) return { kind: 'redis', url: config.redisUrl };
  const { options } = dataSource;
  if (options.type !== 'postgres' || options.url === undefined)
    throw new TypeError('not a Postgres data source');
  return { kind: 'postgres', connectionString: options.url };
}

/** Gives {@link QueueService} to every feature. */
@Global()
@Module({})
export class QueueModule {
  static forBackend(backend: QueueBackendConfig): DynamicModule {
    return {
      module: QueueModule,
      providers: [{ provide: QUEUE_BACKEND, useValue: backend }, QueueService],
      exports: [QueueService],
    };
  }
}
