import type { CoordinatorClient } from './coordinator-client.js';
import type { TaskStore } from './held-task.js';
import type { WorkerPolicy } from './policy.js';
import type { VolunteerSwarm } from './swarm/index.js';
import type { TaskRunner } from './task-runner.js';

/** What a worker is made of; all of it is the worker's alone, and closed with it. */
export interface WorkerComponents {
  readonly client: CoordinatorClient;
  readonly store: TaskStore;
  readonly runner: TaskRunner;
  /** The host's part in the swarm; without one, everything comes from the origin. */
  readonly swarm?: VolunteerSwarm;
  /** Closed when the worker has stopped. */
  readonly chunks?: { close(): Promise<void> };
  /** Uniform in [0, 1); for the jitter of retries. */
  readonly random: () => number;
}

export interface WorkerInit {
  readonly policy: WorkerPolicy;
  /** Sandboxes that this host has, newest first. */
  readonly runtimeVersions: readonly string[];
  /** Ask for work once, compute and report it, then stop. */
  readonly once?: boolean;
}

export interface StopOptions {
  /** Let running tasks end first, for at most this many milliseconds; 0 stops them now. */
  readonly finishWithinMs?: number;
}
