import type { HeartbeatResponse, HostState } from '@gleaner/protocol';
import { closeAll } from './close-all.js';
import type { ComputeAllowance } from './compute-allowance.js';
import { CoordinatorNews } from './coordinator-news.js';
import { Emitter } from './emitter.js';
import { Heartbeats } from './heartbeats.js';
import { OutputUploads } from './output-uploads.js';
import type { SwarmPreferences } from './swarm/index.js';
import { leaveCoordinator, type LeavingComponents } from './leave-coordinator.js';
import { asError } from './sentence-of.js';
import { StateNotices } from './state-notices.js';
import { TaskDesk, type ClosedDesk } from './task-desk.js';
import { trafficOf } from './traffic.js';
import type { VolunteerWorker } from './volunteer-worker.js';
import { Warnings } from './warnings.js';
import { WorkExchange } from './work-exchange.js';
import { WorkRequests } from './work-requests.js';
import type { StopOptions, WorkerComponents, WorkerInit } from './worker-components.js';
import type { WorkerEvents, WorkerPhase, WorkerStatus } from './worker-events.js';
import { phaseOf, reasonOf } from './worker-reason.js';

/**
 * The volunteer's work loop: asks for tasks, computes them, reports results until they are acknowledged, and tells the
 * coordinator with heartbeats what it holds. Starting and stopping twice is safe.
 */
export class Worker implements VolunteerWorker {
  readonly #events = new Emitter<WorkerEvents>();
  readonly #ending = new AbortController();
  readonly #desk: TaskDesk;
  readonly #requests: WorkRequests;
  readonly #notices = new StateNotices(() => this.#stateToTell());
  readonly #heartbeats: Heartbeats;
  readonly #uploads: OutputUploads;
  readonly #exchange: WorkExchange;
  readonly #warnings = new Warnings(this.#events, () => this.#tellStatus());
  readonly #news = new CoordinatorNews(this.#events, this.#warnings);
  #phase: WorkerPhase = 'starting';
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
          this.#exchange.wake();
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
    this.#exchange = new WorkExchange({
      ...components,
      runtimeVersions: init.runtimeVersions,
      events: this.#events,
      desk: this.#desk,
      requests: this.#requests,
      notices: this.#notices,
      heartbeats: this.#heartbeats,
      uploads: this.#uploads,
      news: this.#news,
      changed: () => this.#tellStatus(),
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
    const isStarting =
      state.phase === 'starting' || (state.phase === 'waiting' && !this.#exchange.isAnswered);
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
    // Nothing is left to do once the exchange comes to its end.
    const exchanging = this.#exchange.run(signal).then(() => void this.#stop({}, null));
    const loops = [exchanging, this.#heartbeats.run(signal)];
    this.#talking = Promise.allSettled(loops);
    Promise.all(loops).catch((error: unknown) => {
      if (!signal.aborted) void this.#stop({}, asError(error));
    });
  }

  allow(allowance: ComputeAllowance): void {
    this.#requests.allow(allowance);
    this.components.runner.allow(allowance);
    this.#desk.allow(allowance.cores);
    this.#exchange.wake();
    this.#tellStatus();
  }

  setSwarm(preferences: SwarmPreferences | null): void {
    this.components.swarm?.set(preferences);
    this.#tellStatus();
  }

  finish(): void {
    this.#requests.end();
    this.#exchange.wake();
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
      const { client } = this.components;
      const callWith: LeavingComponents['callWith'] = (reports) => this.#exchange.callFor(reports, 0);
      await leaveCoordinator({ client, desk: this.#desk, callWith }, desk);
    } catch (error) {
      this.#events.emit('call-failed', { message: asError(error).message, retryInMs: 0 });
    }
  }

  async #heartbeatAnswered(answer: HeartbeatResponse): Promise<void> {
    this.#requests.awayBecause = null;
    this.#news.heard(answer);
    this.#uploads.begin(answer.outputsWanted);
    for (const { taskId, action, reason } of answer.tasks) {
      if (action === 'abort') await this.#desk.drop(taskId, reason ?? 'the coordinator no longer wants it');
    }
  }

  #tellStatus(): void {
    if (this.#phase !== 'stopping' && this.#phase !== 'stopped') {
      this.#phase = phaseOf(this.#requests, this.#desk);
    }
    this.#heartbeats.stateChanged();
    this.#events.emit('status', this.status());
  }
}
