import { backoffDelayMs } from '@gleaner/domain';
import { PROTOCOL_VERSION, type ResultReport, type WorkResponse } from '@gleaner/protocol';
import { CoordinatorError, type CoordinatorClient } from './coordinator-client.js';
import type { CoordinatorNews } from './coordinator-news.js';
import type { Emitter } from './emitter.js';
import type { Heartbeats } from './heartbeats.js';
import type { OutputUploads } from './output-uploads.js';
import { sentenceOf } from './sentence-of.js';
import type { StateNotices } from './state-notices.js';
import type { TaskDesk } from './task-desk.js';
import { WakeUp } from './wake-up.js';
import type { WorkRequests } from './work-requests.js';
import type { WorkerComponents, WorkerInit } from './worker-components.js';
import type { WorkerEvents } from './worker-events.js';

/** While the coordinator is away: 1 s, 2 s, 4 s … 5 min, each with a random half taken off. */
const CALL_BACKOFF = { baseMs: 1_000, maxMs: 300_000 };

export interface WorkExchangeParts
  extends Pick<WorkerComponents, 'client' | 'random' | 'swarm'>, Pick<WorkerInit, 'runtimeVersions'> {
  readonly events: Emitter<WorkerEvents>;
  readonly desk: TaskDesk;
  readonly requests: WorkRequests;
  readonly notices: StateNotices;
  readonly heartbeats: Heartbeats;
  readonly uploads: OutputUploads;
  readonly news: CoordinatorNews;
  /** Called whenever what the worker does, or why it does nothing, may have changed. */
  readonly changed: () => void;
}

/** Hands in results and asks for tasks, one call after the other, as long as there is something to say or to ask for. */
export class WorkExchange {
  readonly #wakeUp = new WakeUp();
  #isAnswered = false;

  constructor(private readonly parts: WorkExchangeParts) {}

  /** Whether the coordinator, or its silence, has answered a request for work. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** There may be something to say or to ask for sooner than it was. */
  wake(): void {
    this.#wakeUp.notify();
  }

  /**
   * Until the signal aborts, or until a worker that asks for no more has computed and handed in everything.
   *
   * @throws {CoordinatorError} where the volunteer has to do something: waiting would change nothing
   */
  async run(signal: AbortSignal): Promise<void> {
    const { desk, requests, notices, client } = this.parts;
    for (let failures = 0; !signal.aborted;) {
      const nowMs = performance.now();
      const reports = desk.unreported.due(nowMs);
      const wanted = requests.wantedTasks(nowMs);
      if (reports.length === 0 && wanted === 0) {
        if (this.#isDone()) return;
        await this.#wakeUp.wait(this.#untilNextMs(nowMs), signal);
        continue;
      }
      try {
        const call = this.callFor(reports, wanted);
        const answer = await client.work(call, signal);
        notices.told(call.state, performance.now());
        failures = 0;
        await this.#apply(answer, wanted);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        await this.#waitAfterFailure(error, failures, signal);
      }
    }
  }

  /** What a call says that hands in these results and asks for so many tasks. */
  callFor(reports: ResultReport[], maxTasks: number): Parameters<CoordinatorClient['work']>[0] {
    const { desk, requests, notices, swarm, runtimeVersions } = this.parts;
    const state = notices.due(performance.now());
    return {
      protocol: PROTOCOL_VERSION,
      runtimeVersions: [...runtimeVersions],
      reports,
      holding: desk.holding,
      ...(state && { state }),
      ...(maxTasks > 0 && { request: { ...requests.requestOf(maxTasks), ...swarm?.capabilities } }),
    };
  }

  async #apply(answer: WorkResponse, wanted: number): Promise<void> {
    const { desk, requests, heartbeats, uploads, news, events } = this.parts;
    this.#isAnswered = true;
    requests.awayBecause = null;
    const nowMs = performance.now();
    heartbeats.contacted();
    heartbeats.setInterval(answer.heartbeatMs);
    news.heard(answer);
    // At least a second, so that a coordinator that says "retry at once" is not asked in a tight loop.
    await desk.unreported.answered(answer.reports, nowMs + Math.max(1_000, answer.retryAfterMs));
    uploads.begin(answer.outputsWanted);
    if (wanted > 0) {
      const missing = requests.answered(answer, wanted, nowMs);
      if (missing) events.emit('no-work', missing);
    }
    // Each is written to the volunteer's disk: what nobody asked for is not taken.
    await desk.take({ ...answer, tasks: answer.tasks.slice(0, wanted) });
    this.parts.changed();
  }

  async #waitAfterFailure(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    this.#isAnswered = true;
    const known = error instanceof CoordinatorError ? error : undefined;
    // Nothing that waiting would change: the volunteer has to do something.
    if (known?.kind === 'revoked' || known?.kind === 'too-old') throw known;
    const atLeastMs = known?.details.retryAfterMs ?? 0;
    const retryInMs = backoffDelayMs(failures, CALL_BACKOFF, this.parts.random(), atLeastMs);
    const message = sentenceOf(error);
    this.parts.requests.callFailed(message, retryInMs);
    this.parts.events.emit('call-failed', { message, retryInMs });
    this.parts.changed();
    await new WakeUp().wait(retryInMs, signal);
  }

  #untilNextMs(nowMs: number): number {
    const { desk, requests } = this.parts;
    return Math.max(1, Math.min(requests.untilNextMs(nowMs), desk.unreported.untilNextMs(nowMs)));
  }

  #isDone(): boolean {
    const { desk, requests } = this.parts;
    const { running, buffered } = desk.inHand;
    return !requests.isAsking && running === 0 && buffered === 0 && desk.unreported.size === 0;
  }
}
