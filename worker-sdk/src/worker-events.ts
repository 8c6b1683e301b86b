import type { HostWishes, NoWorkReason, Outcome, ReportAnswer } from '@gleaner/protocol';
import type { ComputeAllowance } from './compute-allowance.js';
import type { SwarmStatus } from './swarm/swarm-preferences.js';
import type { Traffic } from './traffic.js';

/** A task in progress, as `status` shows it. */
export interface RunningTask {
  readonly taskId: string;
  /** Several jobs may have one name. */
  readonly jobId: string;
  readonly jobName: string;
  readonly app: string;
  readonly startedAt: Date;
  /** As told by the app, 0 to 1000; null when it tells nothing. */
  readonly permille: number | null;
}

/**
 * What the worker does now. `working`: at least one task runs. `waiting`: none does; the reason says why and for how
 * long. `paused`: the allowance is no core at all. `stopped`: for good; a new one goes on with what it kept.
 */
export type WorkerPhase = 'starting' | 'working' | 'waiting' | 'paused' | 'stopping' | 'stopped';

export interface WorkerStatus {
  readonly phase: WorkerPhase;
  /** One sentence for the volunteer; never empty. */
  readonly reason: string;
  readonly running: readonly RunningTask[];
  /** It asks for no more work and ends when everything it holds is computed and acknowledged. */
  readonly isFinishing: boolean;
  /** What of the machine it may use, and why. */
  readonly allowance: ComputeAllowance;
  /** What is exchanged with other volunteers; null where the worker has no part in the swarm, such as a browser's. */
  readonly swarm: SwarmStatus | null;
  /** Tasks on this host that have not started. */
  readonly buffered: number;
  /** Results that the coordinator has not acknowledged. */
  readonly unreported: number;
  /** Since the worker started. */
  readonly finishedTasks: number;
  /** Executed instructions of the finished tasks, since the worker started. */
  readonly cycles: bigint;
  /** What it fetched and gave, since this host was attached. */
  readonly traffic: Traffic;
  /** What the volunteer has to mend although the work goes on, a sentence each. */
  readonly warnings: readonly string[];
}

/** Everything that a worker tells, by event name. */
export interface WorkerEvents {
  'task-started': { readonly taskId: string; readonly jobName: string; readonly app: string };
  'task-progress': {
    readonly taskId: string;
    readonly permille: number | null;
    readonly cycles: bigint | null;
  };
  'task-finished': {
    readonly taskId: string;
    readonly jobName: string;
    readonly app: string;
    readonly outcome: Outcome;
    readonly cycles: bigint;
    readonly wallMs: number;
    /** Of the cycles, those that a snapshot of an earlier run had done; null where the task began at its beginning. */
    readonly resumedCycles: bigint | null;
    /** Why, for every outcome but `ok`. */
    readonly message: string | null;
  };
  /** Its state is kept, and the next run on this host goes on with it. */
  'task-suspended': { readonly taskId: string };
  /** A task or result of an earlier run cannot be read any more, as after a failure of the disk. */
  'state-damaged': { readonly file: string; readonly reason: string };
  /** A task or its result could not be written, as on a full disk: it is in memory alone, and a crash would lose it. */
  'not-kept': { readonly taskId: string; readonly reason: string };
  /** The state of a running task can no longer be kept, and why, or (null) can be again. */
  'task-snapshots': { readonly taskId: string; readonly trouble: string | null };
  /** What the volunteer has to mend has begun; {@link WorkerStatus.warnings} has it for as long as it lasts. */
  warning: { readonly about: 'snapshots' | 'used-twice'; readonly reason: string };
  /** Its sandbox was ended by others, such as a system that is short of memory; it goes on from its last snapshot. */
  'task-continued': { readonly taskId: string; readonly reason: string };
  /** The task was given up without a result. */
  'task-dropped': { readonly taskId: string; readonly reason: string };
  'report-answered': ReportAnswer;
  'no-work': { readonly reasons: readonly NoWorkReason[]; readonly retryInMs: number };
  /** The coordinator could not be asked; tried again after `retryInMs`. */
  'call-failed': { readonly message: string; readonly retryInMs: number };
  /** What the host's owner asked of it from afar; told once for each version. The embedding program decides what to do. */
  wishes: HostWishes;
  status: WorkerStatus;
  /** The last event. `error` is set when the worker cannot go on, such as after its token was revoked. */
  stopped: { readonly reason: string; readonly error: Error | null };
}
