import { type DynamicModule, Module } from '@nestjs/common';
import { BlobsModule } from '../blobs/index.js';
import { OutputsController } from './outputs.controller.js';
import { ReportsService } from './reports.service.js';
import { TaskOutputs } from './task-outputs.service.js';

@Module({})
export class ResultsModule {
  static forApi(): DynamicModule {
    return {
      module: ResultsModule,
      imports: [BlobsModule],
      controllers: [OutputsController],
      providers: [ReportsService, TaskOutputs],
      exports: [ReportsService, TaskOutputs],
    };
  }
}
