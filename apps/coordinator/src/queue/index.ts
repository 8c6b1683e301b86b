export { BackendAgreement } from './backend-agreement.js';
export { inTime } from './in-time.js';
export { type AddOptions, JobQueue, type JobQueueStatus, QueueBusyError } from './job-queue.js';
export { type QueueBackendConfig } from './queue-backend.js';
export * from './queue-names.js';
export { QueueModule } from './queue.module.js';
export { type ConsumeOptions, type JobConsumer, type QueueJob, QueueService } from './queue.service.js';
export { reconnectOnError } from './redis-troubles.js';
