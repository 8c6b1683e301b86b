import { DutyCycle } from './duty-cycle.js';
import type { FinishedUnit, SandboxReply, SentCheckpoint, SentUnit } from './messages.js';
import { ModuleLedger } from './module-ledger.js';
import { PendingUnit, reasonOf } from './pending-unit.js';
import { RunningTime } from './running-time.js';
import type { OpenLink, SandboxLink } from './sandbox-link.js';
import type { CheckpointOptions, RunOptions, UnitResult, UnitToRun } from './types.js';
import { infrastructureEnding } from './unit-ending.js';
import { MAX_WAITING_UNITS, UnitQueue } from './unit-queue.js';

const ABANDONED_MS = 50;
const DEFAULT_CHECKPOINT_MS = 60_000;
/** A sandbox that cannot even start is tried this often before its units fail. */
const MAX_FAILED_STARTS = 3;
/** Bound of one start. Long, since it is made at the lowest priority; one that hangs would keep its units for ever. */
const START_WITHIN_MS = 10 * 60_000;

/**
 * Runs units one after the other in one sandbox, which it starts when needed, kills on abort and on the wall-clock limit,
 * and replaces when it dies. The same for Node processes and Web Workers.
 */
export class UnitScheduler {
  readonly #open: OpenLink;
  readonly #modules = new ModuleLedger();
  readonly #wallClock = new RunningTime(() => this.#failHead('the unit was not done when its time was over'));
  readonly #startClock = new RunningTime(() => this.#onStartTimeout());
  readonly #dutyCycle = new DutyCycle(() => this.#applyStop());
  readonly #queue = new UnitQueue();
  readonly #events = {
    onAbort: (pending: PendingUnit) => this.#abort(pending),
    onSuspend: (pending: PendingUnit) => this.#suspend(pending),
  };
  #link: SandboxLink | null = null;
  #isReady = false;
  #isPaused = false;
  #isClosed = false;
  #isDispatchDue = false;
  #failedStarts = 0;
  #nextId = 1;
  readonly #awaited: PromiseWithResolvers<void>[] = [];

  constructor(open: OpenLink) {
    this.#open = open;
  }

  /** Starts the sandbox ahead of the first unit; resolves when it is ready (or closed), rejects where it cannot start. */
  async start(): Promise<void> {
    if (this.#isReady || this.#isClosed) return;
    const awaited = Promise.withResolvers<void>();
    this.#awaited.push(awaited);
    this.#connect();
    await awaited.promise;
  }

  /** See {@link SandboxProcess.run}. */
  run(unit: UnitToRun, options: RunOptions = {}): Promise<UnitResult> {
    const { signal, suspend } = options;
    if (signal?.aborted === true) return Promise.reject(reasonOf(signal));
    if (suspend?.aborted === true) return Promise.reject(reasonOf(suspend));
    if (this.#isClosed) return Promise.resolve(failedResult('the sandbox is closed'));
    if (this.#queue.isFull) {
      const message = `${MAX_WAITING_UNITS} units wait for this sandbox already: hand in more when some have ended`;
      return Promise.reject(new RangeError(message));
    }
    const pending = new PendingUnit(this.#nextId++, unit, options, this.#events);
    this.#queue.add(pending);
    this.#dispatchSoon();
    return pending.result;
  }

  /** Stops computing where it is, without touching results; wall clocks stand still. */
  pause(): void {
    this.#isPaused = true;
    this.#applyStop();
  }

  resume(): void {
    this.#isPaused = false;
    this.#applyStop();
  }

  /** Share of the time (0 to 1] that the sandbox computes. */
  setDutyCycle(share: number): void {
    this.#dutyCycle.setShare(share);
  }

  /** Ends the sandbox; units not finished end as `infrastructure`. Closing twice is safe. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#dutyCycle.end();
    this.#disconnect();
    for (const pending of this.#queue.takeAll()) pending.finish(failedResult('the sandbox was closed'));
    for (const { resolve } of this.#awaited.splice(0)) resolve();
  }

  /** Units handed in together leave together. */
  #dispatchSoon(): void {
    if (this.#isDispatchDue) return;
    this.#isDispatchDue = true;
    queueMicrotask(() => {
      this.#isDispatchDue = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    if (this.#isClosed || !this.#queue.hasWaiting) return;
    this.#connect();
    if (!this.#isReady || this.#link === null) return;
    const wasIdle = this.#queue.head === undefined;
    const batch = this.#queue.takeBatch();
    if (batch.length === 0) return;
    const modules = new Map(batch.map(({ unit }) => [unit.moduleSha256, unit.module]));
    this.#link.setHolding(true);
    this.#link.send({ type: 'run', ...this.#modules.plan(modules), units: batch.map(toSend) });
    if (wasIdle) this.#watchHead();
  }

  #connect(): void {
    if (this.#link !== null || this.#isClosed) return;
    this.#isReady = false;
    this.#modules.clear();
    const link = this.#open({
      onReply: (reply) => {
        if (this.#link === link) this.#onReply(reply);
      },
      onEnd: (reason) => {
        if (this.#link === link) this.#onEnd(reason);
      },
    });
    this.#link = link;
    this.#startClock.restart(START_WITHIN_MS);
    link.setHolding(this.#queue.hasWaiting || this.#awaited.length > 0);
  }

  #disconnect(): void {
    this.#wallClock.end();
    this.#startClock.end();
    this.#link?.kill();
    this.#link = null;
    this.#isReady = false;
  }

  #onReply(reply: SandboxReply): void {
    switch (reply.type) {
      case 'ready':
        this.#isReady = true;
        this.#startClock.end();
        this.#failedStarts = 0;
        this.#applyStop();
        this.#link?.setHolding(this.#queue.hasWaiting);
        for (const { resolve } of this.#awaited.splice(0)) resolve();
        this.#dispatch();
        return;
      case 'finished':
        for (const finished of reply.units) this.#onFinished(finished);
        this.#onHeadChanged();
        return;
      case 'dropped':
        this.#queue.takeSent(reply.id);
        this.#onHeadChanged();
        return;
      case 'suspended':
        this.#queue.takeSent(reply.id)?.endSuspended();
        this.#onHeadChanged();
        this.#applyStop();
        return;
      case 'progress': {
        const { permille, cycles } = reply;
        this.#queue.find(reply.id)?.options.onProgress?.({ permille, cycles });
        return;
      }
      case 'checkpoint-trouble':
        this.#queue.find(reply.id)?.options.onCheckpointTrouble?.(reply.reason);
        return;
      case 'frame':
        this.#queue.find(reply.id)?.options.onFrame?.(reply.bytes);
        return;
      case 'snapshot': {
        const checkpoint = this.#queue.find(reply.id)?.options.checkpoint;
        if (checkpoint !== undefined && 'onSnapshot' in checkpoint) checkpoint.onSnapshot(reply.bytes);
      }
    }
  }

  #onFinished({ id, result, isModuleLost }: FinishedUnit): void {
    const pending = this.#queue.takeSent(id);
    if (pending === undefined) return;
    if (isModuleLost) this.#modules.forget(pending.unit.moduleSha256);
    pending.finish(result);
  }

  /** The sandbox is done with one or more units, and goes on with the next. */
  #onHeadChanged(): void {
    this.#watchHead();
    this.#link?.setHolding(this.#queue.head !== undefined);
    this.#dispatch();
  }

  #suspend(pending: PendingUnit): void {
    if (!this.#queue.suspend(pending)) {
      // It has computed nothing since it was kept last.
      pending.endSuspended();
      return;
    }
    this.#link?.send({ type: 'suspend', ids: [pending.id] });
    this.#applyStop();
  }

  /** The sandbox died: the unit that ran is the host's failure, the others are innocent and wait again. */
  #onEnd(reason: string): void {
    const wasReady = this.#isReady;
    this.#disconnect();
    if (wasReady) {
      const failed = failedResult(`the sandbox ended while computing: ${reason}`);
      this.#replaceHead({ ...failed, isSandboxGone: true });
      return;
    }
    this.#failedStarts++;
    if (this.#failedStarts < MAX_FAILED_STARTS) {
      this.#connect();
      return;
    }
    this.#failedStarts = 0;
    const message = `the sandbox cannot start: ${reason}`;
    for (const pending of this.#queue.takeWaiting()) pending.finish(failedResult(message));
    for (const { reject } of this.#awaited.splice(0)) reject(new Error(message));
  }

  /** What hangs once is not waited for again. */
  #onStartTimeout(): void {
    this.#failedStarts = MAX_FAILED_STARTS;
    this.#onEnd(`it was not ready after ${START_WITHIN_MS / 60_000} min`);
  }

  #abort(pending: PendingUnit): void {
    pending.abandon();
    switch (this.#queue.withdraw(pending)) {
      case 'is-running':
        this.#disconnect();
        this.#queue.takeHead();
        this.#startAgain();
        return;
      case 'was-sent':
        this.#link?.send({ type: 'drop', ids: [pending.id] });
        return;
      case 'was-waiting':
      case 'is-gone':
    }
  }

  #failHead(message: string): void {
    this.#disconnect();
    this.#replaceHead(failedResult(message));
  }

  #replaceHead(result: UnitResult): void {
    this.#queue.takeHead()?.finish(result);
    this.#startAgain();
  }

  #startAgain(): void {
    for (const pending of this.#queue.requeueSent()) pending.endSuspended();
    this.#applyStop();
    this.#dispatch();
  }

  /** Counts the wall clock of the unit that runs now. */
  #watchHead(): void {
    const { head } = this.#queue;
    if (head === undefined) this.#wallClock.end();
    // An abandoned unit that has its turn is dropped at once, unless the sandbox had begun it before it was told.
    else this.#wallClock.restart(head.isAbandoned ? ABANDONED_MS : head.unit.limits.wallMs);
  }

  #applyStop(): void {
    const isStopped = (this.#isPaused || this.#dutyCycle.isResting) && !this.#queue.isSuspending;
    this.#wallClock.setStopped(isStopped);
    // A sandbox that is starting is left alone: it costs little, and could not say that it is ready.
    if (this.#isReady) this.#link?.setStopped(isStopped);
  }
}

function toSend({ id, unit: { module: _apart, ...unit }, options }: PendingUnit): SentUnit {
  const { checkpoint, onFrame } = options;
  const sent = { ...unit, id, isWatched: onFrame !== undefined };
  return checkpoint === undefined ? sent : { ...sent, checkpoint: sentCheckpoint(checkpoint) };
}

function sentCheckpoint(options: CheckpointOptions): SentCheckpoint {
  const everyMs = options.everyMs ?? DEFAULT_CHECKPOINT_MS;
  return 'path' in options ? { everyMs, path: options.path } : { everyMs, path: null, from: options.from };
}

function failedResult(message: string): UnitResult {
  return { ...infrastructureEnding(message), cycles: 0n, outputs: [], stderr: '', cpuMs: 0, wallMs: 0 };
}
