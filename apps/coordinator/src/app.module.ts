import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ConfigModule, type Config } from './config/index.js';
import { DatabaseModule } from './database/index.js';
import { HealthModule } from './health/index.js';
import { HttpModule } from './http/index.js';
import { TelemetryModule, type Logger } from './telemetry/index.js';

export interface AppParts {
  readonly config: Config;
  readonly dataSource: DataSource;
  readonly logger: Logger;
}

/** The features that a role runs. Everything is built from the same modules, so that a role leaves out, and never differs. */
@Module({})
export class AppModule {
  static forRole({ config, dataSource, logger }: AppParts): DynamicModule {
    const foundation: ModuleMetadata['imports'] = [
      ConfigModule.forRoot(config),
      TelemetryModule.forRoot(logger),
      DatabaseModule.forDataSource(dataSource),
      HttpModule,
      HealthModule,
    ];
    return { module: AppModule, imports: foundation };
  }
}
