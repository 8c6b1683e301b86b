import { backoffDelayMs } from '@gleaner/domain';
import {
  PROTOCOL_VERSION,
  type HeartbeatResponse,
  type HostState,
  type ResultReport,
  type WorkResponse,
} from '@gleaner/protocol';
import { closeAll } from './close-all.js';
import type { ComputeAllowance } from './compute-allowance.js';
import { CoordinatorError, type CoordinatorClient } from './coordinator-client.js';
import { CoordinatorNews } from './coordinator-news.js';
import { Emitter } from './emitter.js';
import { Heartbeats } from './heartbeats.js';
import { OutputUploads } from './output-uploads.js';
import type { SwarmPreferences } from './swarm/index.js';
import { leaveCoordinator } from './leave-coordinator.js';
import { asError, sentenceOf } from './sentence-of.js';
import { StateNotices } from './state-notices.js';
import { TaskDesk, type ClosedDesk } from './task-desk.js';
import { trafficOf } from './traffic.js';
import type { VolunteerWorker } from './volunteer-worker.js';
import { WakeUp } from './wake-up.js';
import { Warnings } from './warnings.js';
import { WorkRequests } from './work-requests.js';
import type { StopOptions, WorkerComponents, WorkerInit } from './worker-components.js';
import type { WorkerEvents, WorkerPhase, WorkerStatus } from './worker-events.js';
import { phaseOf, reasonOf } from './worker-reason.js';

/** While the coordinator is away: 1 s, 2 s, 4 s … 5 min, each with a random half taken off. */
const CALL_BACKOFF = { baseMs: 1_000, maxMs: 300_000 };

/**
 * The volunteer's work loop: asks for tasks, computes them, reports results until they are acknowledged, and tells the
 * coordinator with heartbeats what it holds. Starting and stopping twice is safe.
 */
export class Worker implements VolunteerWorker {
  readonly #events = new Emitter<WorkerEvents>();
  readonly #wakeUp = new WakeUp();
  readonly #ending = new AbortController();
  readonly #desk: TaskDesk;
  readonly #requests: WorkRequests;
  readonly #notices = new StateNotices(() => this.#stateToTell());
  readonly #heartbeats: Heartbeats;
  readonly #uploads: OutputUploads;
  readonly #warnings = new Warnings(this.#events, () => this.#tellStatus());
  readonly #news = new CoordinatorNews(this.#events, this.#warnings);
  #phase: WorkerPhase = 'starting';
  /** Whether the coordinator, or its silence, has answered a request for work. */
  #isAnswered = false;
  /** Settles when what an earlier run left is taken up and the work has begun. */
  #starting: Promise<void> | undefined;
  #hasLoaded = false;
  /** Settles when nothing is asked or told any more. */
  #talking: Promise<unknown> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly components: WorkerComponents,
    private readonly init: WorkerInit,
  ) {
    this.#desk = new TaskDesk(
      {
        store: components.store,
        runner: components.runner,
        events: this.#events,
        changed: () => {
          this.#wakeUp.notify();
          this.#tellStatus();
        },
      },
      init.policy,
    );
    this.#requests = new WorkRequests({
      policy: init.policy,
      once: init.once ?? false,
      random: components.random,
      inHand: () => this.#desk.inHand,
    });
    components.swarm?.onChanged(() => this.#tellStatus());
    this.#uploads = new OutputUploads({ ...components, events: this.#events }, this.#ending.signal);
    this.#heartbeats = new Heartbeats({
      client: components.client,
      held: () => this.#desk.heartbeat,
      notices: this.#notices,
      answered: (answer) => this.#heartbeatAnswered(answer),
    });
    this.#events.on('task-finished', ({ outcome, message }) => {
      if (outcome !== 'infrastructure') this.#requests.hostWorked();
      else this.#requests.hostFailed(message ?? 'for no known reason', performance.now());
    });
  }

  on<Name extends keyof WorkerEvents>(name: Name, listener: (event: WorkerEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  status(): WorkerStatus {
    const { running } = this.#desk;
    const swarm = this.components.swarm?.status() ?? null;
    return {
      ...this.#state,
      running,
      isFinishing: !this.#requests.isAsking,
      allowance: this.#requests.allowance,
      swarm,
      ...this.#desk.tallies,
      traffic: trafficOf(swarm),
      warnings: this.#phase === 'stopped' ? [] : this.#warnings.sentences,
    };
  }

  get #state(): Pick<WorkerStatus, 'phase' | 'reason'> {
    return { phase: this.#phase, reason: reasonOf(this.#phase, this.#requests, this.#desk) };
  }

  /** That it waits for its first answer is over before anybody could read it. */
  #stateToTell(): HostState | null {
    const state = this.#state;
    const isStarting = state.phase === 'starting' || (state.phase === 'waiting' && !this.#isAnswered);
    return isStarting ? null : state;
  }

  async start(): Promise<void> {
    if (this.#stopped) return;
    this.#starting ??= this.#begin();
    await this.#starting;
  }

  async #begin(): Promise<void> {
    await this.#desk.load();
    this.#hasLoaded = true;
    if (this.#stopped) return;
    this.#requests.waitingFor = 'asking the coordinator for work';
    this.#desk.startTasks();
    this.#tellStatus();
    const { signal } = this.#ending;
    const loops = [this.#exchangeLoop(signal), this.#heartbeats.run(signal)];
    this.#talking = Promise.allSettled(loops);
    Promise.all(loops).catch((error: unknown) => {
      if (!signal.aborted) void this.#stop({}, asError(error));
    });
  }

  allow(allowance: ComputeAllowance): void {
    this.#requests.allow(allowance);
    this.components.runner.allow(allowance);
    this.#desk.allow(allowance.cores);
    this.#wakeUp.notify();
    this.#tellStatus();
  }

  setSwarm(preferences: SwarmPreferences | null): void {
    this.components.swarm?.set(preferences);
    this.#tellStatus();
  }

  finish(): void {
    this.#requests.end();
    this.#wakeUp.notify();
    this.#tellStatus();
  }

  async stop(options: StopOptions = {}): Promise<void> {
    await this.#stop(options, null);
  }

  async #stop(options: StopOptions, error: Error | null): Promise<void> {
    this.#stopped ??= this.#shutDown(options, error);
    await this.#stopped;
  }

  async #shutDown(options: StopOptions, error: Error | null): Promise<void> {
    this.#phase = 'stopping';
    this.#requests.end();
    this.#tellStatus();
    // What is being read from the disk belongs to what is kept or returned. Whoever started learns of a failure.
    await this.#starting?.catch(() => undefined);
    this.#desk.startNoMore();
    if (options.finishWithinMs) await this.#desk.finishRunning(AbortSignal.timeout(options.finishWithinMs));
    this.#ending.abort(new DOMException('the worker stops', 'AbortError'));
    // Tasks of an answer that has come are on the desk before it is cleared.
    await this.#talking;
    const { runner, swarm, chunks } = this.components;
    const desk = await this.#desk.close().catch(asError);
    const failure = await closeAll([runner, swarm, chunks]);
    const cause = error ?? (desk instanceof Error ? desk : failure);
    // Who never took up what an earlier run left has nothing to say of it.
    if (!(desk instanceof Error) && !cause && this.#hasLoaded) await this.#sayFarewell(desk);
    this.#phase = 'stopped';
    this.#requests.waitingFor = cause?.message ?? 'stopped';
    this.#tellStatus();
    this.#events.emit('stopped', { reason: this.#requests.waitingFor, error: cause });
  }

  /** What cannot be said in time stays on the disk: results are reported, and tasks computed, by the next run. */
  async #sayFarewell(desk: ClosedDesk): Promise<void> {
    try {
      const callWith = (reports: ResultReport[]) => this.#workCall(reports, 0);
      await leaveCoordinator({ client: this.components.client, desk: this.#desk, callWith }, desk);
    } catch (error) {
      this.#events.emit('call-failed', { message: asError(error).message, retryInMs: 0 });
    }
  }

  async #exchangeLoop(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const nowMs = performance.now();
      const reports = this.#desk.unreported.due(nowMs);
      const wanted = this.#requests.wantedTasks(nowMs);
      if (reports.length === 0 && wanted === 0) {
        if (this.#isDone()) {
          void this.#stop({}, null);
          return;
        }
        await this.#wakeUp.wait(this.#untilNextCallMs(nowMs), signal);
        continue;
      }
      try {
        const call = this.#workCall(reports, wanted);
        const answer = await this.components.client.work(call, signal);
        this.#notices.told(call.state, performance.now());
        failures = 0;
        await this.#apply(answer, wanted);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        await this.#waitAfterFailure(error, failures, signal);
      }
    }
  }

  #workCall(reports: ResultReport[], maxTasks: number): Parameters<CoordinatorClient['work']>[0] {
    const state = this.#notices.due(performance.now());
    return {
      protocol: PROTOCOL_VERSION,
      runtimeVersions: [...this.init.runtimeVersions],
      reports,
      holding: this.#desk.holding,
      ...(state && { state }),
      ...(maxTasks > 0 && {
        request: { ...this.#requests.requestOf(maxTasks), ...this.components.swarm?.capabilities },
      }),
    };
  }

  async #apply(answer: WorkResponse, wanted: number): Promise<void> {
    this.#isAnswered = true;
    this.#requests.awayBecause = null;
    const nowMs = performance.now();
    this.#heartbeats.contacted();
    this.#heartbeats.setInterval(answer.heartbeatMs);
    this.#news.heard(answer);
    // At least a second, so that a coordinator that says "retry at once" is not asked in a tight loop.
    await this.#desk.unreported.answered(answer.reports, nowMs + Math.max(1_000, answer.retryAfterMs));
    this.#uploads.begin(answer.outputsWanted);
    if (wanted > 0) {
      const missing = this.#requests.answered(answer, wanted, nowMs);
      if (missing) this.#events.emit('no-work', missing);
    }
    await this.#desk.take(answer);
    this.#tellStatus();
  }

  async #waitAfterFailure(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    this.#isAnswered = true;
    const known = error instanceof CoordinatorError ? error : undefined;
    // Nothing that waiting would change: the volunteer has to do something.
    if (known?.kind === 'revoked' || known?.kind === 'too-old') throw known;
    const atLeastMs = known?.details.retryAfterMs ?? 0;
    const retryInMs = backoffDelayMs(failures, CALL_BACKOFF, this.components.random(), atLeastMs);
    const message = sentenceOf(error);
    this.#requests.callFailed(message, retryInMs);
    this.#events.emit('call-failed', { message, retryInMs });
    this.#tellStatus();
    await new WakeUp().wait(retryInMs, signal);
  }

  async #heartbeatAnswered(answer: HeartbeatResponse): Promise<void> {
    this.#requests.awayBecause = null;
    this.#news.heard(answer);
    this.#uploads.begin(answer.outputsWanted);
    for (const { taskId, action, reason } of answer.tasks) {
      if (action === 'abort') await this.#desk.drop(taskId, reason ?? 'the coordinator no longer wants it');
    }
  }

  #untilNextCallMs(nowMs: number): number {
    return Math.max(1, Math.min(this.#requests.untilNextMs(nowMs), this.#desk.unreported.untilNextMs(nowMs)));
  }

  #isDone(): boolean {
    const { running, buffered } = this.#desk.inHand;
    return !this.#requests.isAsking && running === 0 && buffered === 0 && this.#desk.unreported.size === 0;
  }

  #tellStatus(): void {
    if (this.#phase !== 'stopping' && this.#phase !== 'stopped') {
      this.#phase = phaseOf(this.#requests, this.#desk);
    }
    this.#heartbeats.stateChanged();
    this.#events.emit('status', this.status());
  }
}
