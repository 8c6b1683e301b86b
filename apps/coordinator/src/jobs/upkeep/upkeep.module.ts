import { type DynamicModule, Module } from '@nestjs/common';
import { BlobsModule } from '../../blobs/index.js';
import { JobCleaner } from './job-cleaner.service.js';
import { JobSweep } from './job-sweep.service.js';
import { UpkeepProcessor } from './upkeep.processor.js';

const services = [JobCleaner, JobSweep];

@Module({})
export class UpkeepModule {
  /** @param role with `works` the process also works on the queues */
  static forRole({ works }: { readonly works: boolean }): DynamicModule {
    return {
      module: UpkeepModule,
      imports: [BlobsModule],
      providers: [...services, ...(works ? [UpkeepProcessor] : [])],
      exports: services,
    };
  }
}
