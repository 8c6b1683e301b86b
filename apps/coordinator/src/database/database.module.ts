import { Global, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { closeHotPool } from './hot-pool.js';
import { INSTALLATION, readInstallation } from './installation.js';
import { RecentTrouble } from './recent-trouble.service.js';
import { WorkersSeen } from './workers-seen.js';

@Injectable()
class HotPoolCloser implements OnApplicationShutdown {
  constructor(private readonly dataSource: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    await closeHotPool(this.dataSource);
  }
}

/**
 * Makes one DataSource injectable (class `DataSource`). It is opened and migrated before the application exists, and
 * whoever opened it closes it, so that no request or queue job ever meets a schema of another version.
 */
@Global()
@Module({})
export class DatabaseModule {
  static forDataSource(dataSource: DataSource): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...dataSource.options, manualInitialization: true }),
          dataSourceFactory: () => Promise.resolve(dataSource),
        }),
      ],
      providers: [
        HotPoolCloser,
        RecentTrouble,
        WorkersSeen,
        { provide: INSTALLATION, useFactory: () => readInstallation(dataSource) },
      ],
      exports: [TypeOrmModule, INSTALLATION, RecentTrouble, WorkersSeen],
    };
  }
}
