import { type DynamicModule, Module } from '@nestjs/common';
import { BlobsModule } from '../blobs/index.js';
import { Examiner } from './examiner.service.js';
import { LinkedAccounts } from './linked-accounts.service.js';
import { ReleasedHosts } from './released-hosts.service.js';
import { UnitReader } from './unit-reader.service.js';
import { ValidateProcessor } from './validate.processor.js';
import { ValidationService } from './validation.service.js';

const services = [UnitReader, ValidationService, Examiner];

@Module({})
export class ValidationModule {
  /** @param role with `works` the process also works on the queue */
  static forRole({ works }: { readonly works: boolean }): DynamicModule {
    return {
      module: ValidationModule,
      global: true,
      imports: [BlobsModule],
      providers: [...services, ...(works ? [ValidateProcessor, LinkedAccounts, ReleasedHosts] : [])],
      exports: services,
    };
  }
}
