import { Global, Module, type DynamicModule } from '@nestjs/common';
import { LOGGER, type Logger } from './logger.js';
import { Metrics } from './metrics.js';

@Global()
@Module({})
export class TelemetryModule {
  static forRoot(logger: Logger): DynamicModule {
    return {
      module: TelemetryModule,
      providers: [{ provide: LOGGER, useValue: logger }, Metrics],
      exports: [LOGGER, Metrics],
    };
  }
}
