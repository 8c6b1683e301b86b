import type { ComputeAllowance } from './compute-allowance.js';
import type { SwarmPreferences } from './swarm/swarm-preferences.js';
import type { StopOptions } from './worker-components.js';
import type { WorkerEvents, WorkerStatus } from './worker-events.js';

/** What every embedding of a worker needs to be told, in Node and in a browser. */
export interface WorkerIdentity {
  /** URL of the coordinator. */
  readonly coordinator: string | URL;
  /** The host's own token, from attaching. */
  readonly credentials: { readonly token: string };
}

/** A volunteer worker as the embedding program sees it, the same in Node and in a browser. */
export interface VolunteerWorker {
  /** Calls `listener` at every such event until the returned function is called. */
  on<Name extends keyof WorkerEvents>(name: Name, listener: (event: WorkerEvents[Name]) => void): () => void;
  status(): WorkerStatus;
  /** Begins to work, taking up what an earlier run left; never after a stop. Rejects only when its storage cannot be used. */
  start(): Promise<void>;
  /**
   * Limits what of the machine is used, at once: running tasks are paused where they are, slowed down or continued, and
   * no work is asked for while there is no core to compute it. Results are reported and leases kept all the same.
   */
  allow(allowance: ComputeAllowance): void;
  /**
   * Exchanges inputs with other volunteers within these limits, from now on; null: not at all. Call it only for a volunteer who
   * agreed: others see this host's network address. Without effect in a browser, which has no part in the swarm.
   */
  setSwarm(preferences: SwarmPreferences | null): void;
  /** Asks for no more work, and stops once everything held is computed and acknowledged. */
  finish(): void;
  /**
   * Stops computing, reports what is finished and ends all processes. Tasks in steps that much work has gone into are kept
   * with their state for the next run in the same directory; the others are returned to the coordinator. Never rejects: what
   * could not be ended as it should is told with the event `stopped`.
   */
  stop(options?: StopOptions): Promise<void>;
}
