import { Module } from '@nestjs/common';
import { JobBroadcast } from './job-broadcast.service.js';
import { JobPictures } from './job-pictures.service.js';
import { PublicJobsController } from './public-jobs.controller.js';
import { PublicJobs } from './public-jobs.service.js';
import { SiteStatistics } from './site-statistics.service.js';
import { StatsController } from './stats.controller.js';

/** What everybody may see: totals, the rate of the moment, and public jobs with their pictures. */
@Module({
  controllers: [StatsController, PublicJobsController],
  providers: [SiteStatistics, PublicJobs, JobPictures, JobBroadcast],
})
export class StatsModule {}
