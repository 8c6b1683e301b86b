import { backoffDelayMs, tasksToRequest } from '@gleaner/domain';
import { LIMITS, type NoWorkReason, type WorkRequestInput, type WorkResponse } from '@gleaner/protocol';
import { FULL_ALLOWANCE, type ComputeAllowance } from './compute-allowance.js';
import type { WorkerPolicy } from './policy.js';
import type { TaskDesk } from './task-desk.js';

/** After tasks that this host could not compute: 10 s to an hour, so that a broken host does not use up jobs' patience. */
const HOST_FAILURE_BACKOFF = { baseMs: 10_000, maxMs: 3_600_000 };
const MAX_IN_HAND = 256;
/** However soon a coordinator wants to be asked again. */
const MIN_PATIENCE_MS = 100;

export interface WorkRequestsInit {
  readonly policy: WorkerPolicy;
  /** Ask for work once. */
  readonly once: boolean;
  /** Uniform in [0, 1); so that hosts that were refused together do not return together. */
  readonly random: () => number;
  /** What is held by now. */
  readonly inHand: () => TaskDesk['inHand'];
}

/** How many tasks to ask for and when, and why none at the moment. Times are by the clock that nobody can set. */
export class WorkRequests {
  #allowance: ComputeAllowance = FULL_ALLOWANCE;
  #isAsking = true;
  #nextAtMs = 0;
  /** Tasks in a row that this host could not compute. */
  #hostFailures = 0;
  /** Why nothing is computed, where it is for want of tasks. */
  waitingFor = 'the worker starts';
  /** Why the last call came to nothing, and when the next one is tried; null where it did not. */
  awayBecause: string | null = null;

  constructor(private readonly init: WorkRequestsInit) {}

  /** Whether it will ever ask again. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Asks for nothing more. */
  end(): void {
    this.#isAsking = false;
  }

  get allowance(): ComputeAllowance {
    return this.#allowance;
  }

  allow(allowance: ComputeAllowance): void {
    this.#allowance = allowance;
  }

  /** Whether the allowance leaves a core to hold work for. */
  get mayAsk(): boolean {
    return this.#holdsForCores > 0;
  }

  /** Tasks to ask for now; 0 where none are needed, allowed, or to be asked for yet. */
  wantedTasks(nowMs: number): number {
    return this.#isAsking && nowMs >= this.#nextAtMs ? this.#neededTasks() : 0;
  }

  /** Milliseconds until there is something to ask for; Infinity where nothing but news can change that. */
  untilNextMs(nowMs: number): number {
    return this.#isAsking && this.#neededTasks() > 0 ? this.#nextAtMs - nowMs : Number.POSITIVE_INFINITY;
  }

  /** What is offered for them: the policy within the allowance, how many at the same time with how much memory each. */
  requestOf(maxTasks: number): NonNullable<WorkRequestInput['request']> {
    const { overrulesWishes } = this.#allowance;
    const cores = Math.max(1, this.#holdsForCores);
    const share = Math.floor((this.#allowance.memoryMiB ?? Number.POSITIVE_INFINITY) / cores);
    const memoryMiB = Math.max(1, Math.min(this.init.policy.memoryMiB, share));
    return { maxTasks, memoryMiB, cores, ...(overrulesWishes !== undefined && { overrulesWishes }) };
  }

  /** Takes notice of what came of asking; tells why fewer came than were wanted, null where none is missing. */
  answered(
    { tasks, noWork, retryAfterMs }: WorkResponse,
    wanted: number,
    nowMs: number,
  ): { readonly reasons: readonly NoWorkReason[]; readonly retryInMs: number } | null {
    if (this.init.once) this.#isAsking = false;
    if (tasks.length >= wanted) {
      this.waitingFor = 'waiting: the next tasks are being fetched';
      return null;
    }
    // A little later than told, each host differently.
    const retryInMs = Math.round(Math.max(MIN_PATIENCE_MS, retryAfterMs) * (1 + this.init.random() / 5));
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs + retryInMs);
    const reasons = noWork.map(({ message }) => message).join('; ');
    this.waitingFor = `waiting: ${reasons || 'no work at the moment'}`;
    return { reasons: noWork, retryInMs };
  }

  /** A task was computed, whatever came of it. */
  hostWorked(): void {
    this.#hostFailures = 0;
  }

  /** A task could not be computed here: the more of these in a row, the later it asks for another. */
  hostFailed(message: string, nowMs: number): void {
    this.#hostFailures += 1;
    const waitMs = backoffDelayMs(this.#hostFailures, HOST_FAILURE_BACKOFF, this.init.random());
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs + waitMs);
    const seconds = Math.ceil(waitMs / 1000);
    this.waitingFor = `waiting: this machine could not compute a task (${message}); asking for another in ${seconds} s`;
  }

  /** The coordinator cannot be talked to, whether there is something to compute or not. */
  callFailed(message: string, retryInMs: number): void {
    this.awayBecause = `${message}; trying again in ${Math.ceil(retryInMs / 1000)} s`;
    this.waitingFor = `waiting: ${this.awayBecause}`;
  }

  #neededTasks(): number {
    if (!this.mayAsk) return 0;
    const { bufferMs } = this.init.policy;
    const held = { ...this.init.inHand(), cores: this.#holdsForCores };
    return tasksToRequest(held, { bufferMs, maxInHand: MAX_IN_HAND, maxPerCall: LIMITS.tasksPerCall });
  }

  get #holdsForCores(): number {
    return Math.min(this.init.policy.cores, this.#allowance.holdsForCores ?? this.#allowance.cores);
  }
}
