/** The volunteer worker for browser tabs: the same work loop, inputs over HTTP, the sandbox in Web Workers. */
// Before anything that has schemas.
import './no-eval.js';

export { attachBrowser, describeBrowser } from './attach-browser.js';
export { checkSandbox } from './check-sandbox.js';
export { createWorker, type CreateWorkerOptions, type TabPolicy } from './create-worker.js';
export { sayFarewell } from './say-farewell.js';
export type { Frame } from './browser-task-runner.js';
export type { ComputeAllowance } from '../compute-allowance.js';
export { CoordinatorError } from '../coordinator-client.js';
export type { RunningTask, WorkerEvents, WorkerStatus } from '../worker-events.js';
export type { VolunteerWorker, WorkerIdentity } from '../volunteer-worker.js';
export type { StopOptions } from '../worker-components.js';
