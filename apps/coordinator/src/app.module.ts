import { Module, type DynamicModule } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { AccountsModule } from './accounts/index.js';
import { AuditModule } from './audit/index.js';
import { ConfigModule, type Config } from './config/index.js';
import { DatabaseModule } from './database/index.js';
import { HealthModule } from './health/index.js';
import { HostsModule } from './hosts/index.js';
import { HttpModule } from './http/index.js';
import { ProjectsModule } from './projects/index.js';
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
    const foundation = [
      ConfigModule.forRoot(config),
      TelemetryModule.forRoot(logger),
      DatabaseModule.forDataSource(dataSource),
      HttpModule,
      AuditModule,
      HealthModule,
    ];
    const api = [AccountsModule, ProjectsModule, HostsModule];
    return { module: AppModule, imports: config.role === 'worker' ? foundation : [...foundation, ...api] };
  }
}
