export { JobCleaner } from './job-cleaner.service.js';
export { JobSweep } from './job-sweep.service.js';
export { UpkeepModule } from './upkeep.module.js';
