export * from '../support/seed-job.js';
export * from '../support/test-host.js';
export * from '../support/test-results.js';
