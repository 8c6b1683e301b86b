import { Module } from '@nestjs/common';
import { BlobsModule } from '../blobs/index.js';
import { ProjectsModule } from '../projects/index.js';
import { AdmissionService } from './admission.service.js';
import { AppsController } from './apps.controller.js';
import { AppsService } from './apps.service.js';

@Module({
  imports: [BlobsModule, ProjectsModule],
  controllers: [AppsController],
  providers: [AdmissionService, AppsService],
})
export class AppsModule {}
