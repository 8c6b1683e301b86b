import { Module, type DynamicModule } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { AboutModule } from './about/index.js';
import { AccountsModule } from './accounts/index.js';
import { AppsModule } from './apps/index.js';
import { AuditModule } from './audit/index.js';
import { BlobsApiModule, BlobsModule, BlobSweepModule } from './blobs/index.js';
import { ConfigModule, type Config } from './config/index.js';
import { DatabaseModule } from './database/index.js';
import { DevicesModule } from './devices/index.js';
import { DispatchModule } from './dispatch/index.js';
import { HealthModule } from './health/index.js';
import { HostsModule } from './hosts/index.js';
import { HttpModule } from './http/index.js';
import { IdentityModule } from './identity/index.js';
import { AssimilationModule } from './jobs/assimilation/index.js';
import { JobsModule } from './jobs/index.js';
import { SplittingModule } from './jobs/splitting/index.js';
import { UpkeepModule } from './jobs/upkeep/index.js';
import { LeaderboardsModule } from './leaderboards/index.js';
import { OperatorModule } from './operator/index.js';
import { ProjectsModule } from './projects/index.js';
import { QueueModule } from './queue/index.js';
import { StatsModule } from './stats/index.js';
import { TeamsModule } from './teams/index.js';
import { TelemetryModule, type Logger } from './telemetry/index.js';
import { TrackerModule } from './tracker/index.js';
import { ValidationModule } from './validation/index.js';

export interface AppParts {
  readonly config: Config;
  readonly dataSource: DataSource;
  readonly logger: Logger;
}

/** The features that a role runs. Everything is built from the same modules, so that a role leaves out, and never differs. */
@Module({})
export class AppModule {
  static forRole({ config, dataSource, logger }: AppParts): DynamicModule {
    const serves = config.role !== 'worker';
    const works = config.role !== 'api';
    const foundation = [
      ConfigModule.forRoot(config),
      TelemetryModule.forRoot(logger),
      DatabaseModule.forDataSource(dataSource),
      HttpModule,
      QueueModule,
      AuditModule,
      BlobsModule,
      HealthModule,
      ValidationModule.forRole({ works }),
      DispatchModule.forRole({ serves, works }),
      SplittingModule.forRole({ works }),
      AssimilationModule.forRole({ works }),
      UpkeepModule.forRole({ works }),
      StatsModule.forRole({ serves, works }),
      BlobSweepModule.forRole({ works }),
    ];
    const api = [
      AboutModule,
      AccountsModule,
      ProjectsModule,
      HostsModule,
      DevicesModule,
      TeamsModule,
      IdentityModule,
      OperatorModule,
      BlobsApiModule,
      TrackerModule,
      AppsModule,
      JobsModule,
      LeaderboardsModule,
    ];
    return { module: AppModule, imports: serves ? [...foundation, ...api] : foundation };
  }
}
