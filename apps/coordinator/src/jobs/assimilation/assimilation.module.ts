import { type DynamicModule, Module } from '@nestjs/common';
import { BlobsModule } from '../../blobs/index.js';
import { AssimilateProcessor } from './assimilate.processor.js';
import { Assimilator } from './assimilator.service.js';
import { CanonicalOutputs } from './canonical-outputs.js';

const services = [CanonicalOutputs, Assimilator];

@Module({})
export class AssimilationModule {
  /** @param role with `works` the process also works on the queue */
  static forRole({ works }: { readonly works: boolean }): DynamicModule {
    return {
      module: AssimilationModule,
      imports: [BlobsModule],
      providers: [...services, ...(works ? [AssimilateProcessor] : [])],
      exports: services,
    };
  }
}
