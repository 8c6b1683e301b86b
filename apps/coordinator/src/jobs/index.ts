export { anothersJob } from './anothers-job.js';
export { JOB_SELECT, JOB_VISIBLE, jobRow, presentJob } from './job-rows.js';
export { JobsModule } from './jobs.module.js';
