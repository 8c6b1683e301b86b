import { type DynamicModule, Module } from '@nestjs/common';
import { BlobsModule } from '../../blobs/index.js';
import { JobInputs } from './job-inputs.js';
import { JobSplitter } from './job-splitter.service.js';
import { SplitProcessor } from './split.processor.js';
import { UnitWriter } from './unit-writer.js';

const services = [JobInputs, UnitWriter, JobSplitter];

@Module({})
export class SplittingModule {
  /** @param role with `works` the process also works on the queue */
  static forRole({ works }: { readonly works: boolean }): DynamicModule {
    return {
      module: SplittingModule,
      imports: [BlobsModule],
      providers: [...services, ...(works ? [SplitProcessor] : [])],
      exports: services,
    };
  }
}
