import { Module } from '@nestjs/common';
import { BlobsModule } from '../blobs/index.js';
import { ProjectsModule } from '../projects/index.js';
import { JobEvents } from './job-events.service.js';
import { JobSubmission } from './job-submission.service.js';
import { JobsController } from './jobs.controller.js';
import { JobsService } from './jobs.service.js';
import { JobInputs } from './splitting/index.js';
import { UnitResults } from './unit-results.service.js';

/** Submitting and following jobs over HTTP; splitting, assimilating and upkeep are modules of their own. */
@Module({
  imports: [BlobsModule, ProjectsModule],
  controllers: [JobsController],
  providers: [JobEvents, JobInputs, JobSubmission, JobsService, UnitResults],
})
export class JobsModule {}
