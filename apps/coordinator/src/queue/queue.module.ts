import { type DynamicModule, type FactoryProvider, Global, Module } from '@nestjs/common';
import { QUEUE_BACKEND, QueueService } from './queue.service.js';
import type { QueueBackendConfig } from './queue-backend.js';

/** Gives {@link QueueService} to every feature, on the backend that the configuration names. */
@Global()
@Module({})
export class QueueModule {
  static forRootAsync(
    options: Pick<FactoryProvider<QueueBackendConfig>, 'inject' | 'useFactory'>,
  ): DynamicModule {
    return {
      module: QueueModule,
      providers: [{ provide: QUEUE_BACKEND, ...options }, QueueService],
      exports: [QueueService],
    };
  }
}
