export { JOB_SELECT, jobRow, presentJob } from './job-rows.js';
export { JobsModule } from './jobs.module.js';
