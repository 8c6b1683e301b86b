import { DutyCycle } from './duty-cycle.js';
import type {
  FinishedUnit,
  SandboxReply,
  SandboxRequest,
  SentCheckpoint,
  SentModule,
  SentUnit,
} from './messages.js';
import { ModuleLedger } from './module-ledger.js';
import { RunningTime } from './running-time.js';
import type { CheckpointOptions, InputContent, RunOptions, UnitResult, UnitToRun } from './types.js';
import { infrastructureEnding } from './unit-ending.js';

/** A running sandbox on the other side of a process's or worker's channel. */
export interface SandboxLink {
  send(request: SandboxRequest): void;
  /** Ends it at once, whatever it is doing. No event follows. */
  kill(): void;
  /** Stops and continues it where it is, or between steps where the platform cannot. */
  setStopped(isStopped: boolean): void;
  /** Whether the program should stay alive for it. */
  setHolding(isHolding: boolean): void;
}

export interface LinkEvents {
  onReply(reply: SandboxReply): void;
  /** It ended by itself, with the reason in words. */
  onEnd(reason: string): void;
}

export type OpenLink = (events: LinkEvents) => SandboxLink;

interface PendingUnit {
  readonly id: number;
  readonly unit: UnitToRun;
  readonly options: RunOptions;
  readonly resolve: (result: UnitResult) => void;
  readonly reject: (reason: unknown) => void;
  readonly onAbort: () => void;
  readonly onSuspend: () => void;
  isAbandoned: boolean;
}

/** Small units travel together, up to these bounds; a large one travels alone. */
const MAX_BATCH_UNITS = 256;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const ABANDONED_MS = 50;
const DEFAULT_CHECKPOINT_MS = 60_000;
/** A sandbox that cannot even start is tried this often before its units fail. */
const MAX_FAILED_STARTS = 3;

/**
 * Runs units one after the other in one sandbox, which it starts when needed, kills on abort and on the wall-clock limit,
 * and replaces when it dies. The same for Node processes and Web Workers.
 */
export class UnitScheduler {
  readonly #open: OpenLink;
  readonly #modules = new ModuleLedger();
  readonly #wallClock = new RunningTime(() =>
    this.#failHead('the unit ran longer than its wall-clock limit'),
  );
  readonly #dutyCycle = new DutyCycle(() => this.#applyStop());
  readonly #waiting: PendingUnit[] = [];
  /** In the sandbox, in order; the first is the one that runs. */
  #sent: PendingUnit[] = [];
  #link: SandboxLink | null = null;
  #isReady = false;
  #isPaused = false;
  #isClosed = false;
  #isDispatchDue = false;
  #failedStarts = 0;
  #nextId = 1;
  readonly #onReady: (() => void)[] = [];
  /** Units that are being kept: a stopped sandbox could not. */
  readonly #suspending = new Set<number>();

  constructor(open: OpenLink) {
    this.#open = open;
  }

  /** Starts the sandbox ahead of the first unit; resolves when it is ready (or closed). */
  start(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isReady || this.#isClosed) return resolve();
      this.#onReady.push(resolve);
      this.#connect();
    });
  }

  /** See {@link SandboxProcess.run}. */
  run(unit: UnitToRun, options: RunOptions = {}): Promise<UnitResult> {
    const { signal, suspend } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(asError(signal.reason));
      if (suspend?.aborted) return reject(asError(suspend.reason));
      if (this.#isClosed) return resolve(failedResult('the sandbox is closed'));
      const onAbort = () => this.#abort(pending);
      const onSuspend = () => this.#suspend(pending);
      const id = this.#nextId++;
      const handlers = { resolve, reject, onAbort, onSuspend };
      const pending: PendingUnit = { id, unit, options, ...handlers, isAbandoned: false };
      signal?.addEventListener('abort', onAbort, { once: true });
      suspend?.addEventListener('abort', onSuspend, { once: true });
      this.#waiting.push(pending);
      this.#dispatchSoon();
    });
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
    for (const pending of [...this.#sent.splice(0), ...this.#waiting.splice(0)]) {
      this.#settle(pending, failedResult('the sandbox was closed'));
    }
    for (const resolve of this.#onReady.splice(0)) resolve();
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
    if (this.#isClosed || this.#waiting.length === 0) return;
    this.#connect();
    // The next batch leaves before the last one is used up, so that the sandbox never waits.
    if (!this.#isReady || this.#link === null || this.#sent.length >= MAX_BATCH_UNITS / 2) return;
    const batch: SentUnit[] = [];
    const modules = new Map<string, SentModule['source']>();
    const wasIdle = this.#sent.length === 0;
    let bytes = 0;
    while (batch.length < MAX_BATCH_UNITS) {
      const pending = this.#waiting[0];
      if (pending === undefined) break;
      bytes += inlineBytesOf(pending.unit);
      if (batch.length > 0 && bytes > MAX_BATCH_BYTES) break;
      this.#waiting.shift();
      const { module, ...unit } = pending.unit;
      modules.set(unit.moduleSha256, module);
      batch.push({ ...unit, id: pending.id, ...sentCheckpoint(pending.options.checkpoint) });
      this.#sent.push(pending);
    }
    this.#link.setHolding(true);
    this.#link.send({ type: 'run', ...this.#modules.plan(modules), units: batch });
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
    link.setHolding(this.#waiting.length > 0 || this.#onReady.length > 0);
  }

  #disconnect(): void {
    this.#wallClock.end();
    this.#link?.kill();
    this.#link = null;
    this.#isReady = false;
  }

  #onReply(reply: SandboxReply): void {
    switch (reply.type) {
      case 'ready':
        this.#isReady = true;
        this.#failedStarts = 0;
        this.#applyStop();
        this.#link?.setHolding(this.#waiting.length > 0);
        for (const resolve of this.#onReady.splice(0)) resolve();
        this.#dispatch();
        return;
      case 'finished':
        for (const finished of reply.units) this.#onFinished(finished);
        this.#watchHead();
        this.#link?.setHolding(this.#sent.length > 0);
        this.#dispatch();
        return;
      case 'dropped':
        this.#sent = this.#sent.filter(({ id }) => id !== reply.id);
        this.#watchHead();
        this.#link?.setHolding(this.#sent.length > 0);
        return;
      case 'suspended':
        this.#onSuspended(reply.id);
        return;
      case 'progress': {
        const { permille, cycles } = reply;
        this.#find(reply.id)?.options.onProgress?.({ permille, cycles });
        return;
      }
      case 'frame':
        this.#find(reply.id)?.options.onFrame?.(reply.bytes);
        return;
      case 'snapshot': {
        const checkpoint = this.#find(reply.id)?.options.checkpoint;
        if (checkpoint !== undefined && 'onSnapshot' in checkpoint) checkpoint.onSnapshot(reply.bytes);
      }
    }
  }

  #onFinished({ id, result, isModuleLost }: FinishedUnit): void {
    const index = this.#sent.findIndex((pending) => pending.id === id);
    const pending = this.#sent[index];
    if (pending === undefined) return;
    this.#sent.splice(index, 1);
    if (isModuleLost) this.#modules.forget(pending.unit.moduleSha256);
    this.#settle(pending, result);
  }

  #suspend(pending: PendingUnit): void {
    const index = this.#waiting.indexOf(pending);
    if (index !== -1) {
      // It has computed nothing since it was kept last.
      this.#waiting.splice(index, 1);
      this.#release(pending);
      pending.reject(asError(pending.options.suspend?.reason));
    }
    if (!this.#sent.includes(pending)) return;
    this.#suspending.add(pending.id);
    this.#link?.send({ type: 'suspend', ids: [pending.id] });
    this.#applyStop();
  }

  #onSuspended(id: number): void {
    this.#suspending.delete(id);
    const pending = this.#sent.find((unit) => unit.id === id);
    if (pending === undefined) return;
    this.#sent.splice(this.#sent.indexOf(pending), 1);
    this.#release(pending);
    if (!pending.isAbandoned) pending.reject(asError(pending.options.suspend?.reason));
    this.#watchHead();
    this.#link?.setHolding(this.#sent.length > 0);
    this.#applyStop();
    this.#dispatch();
  }

  /** The sandbox died: the unit that ran is the host's failure, the others are innocent and wait again. */
  #onEnd(reason: string): void {
    const wasReady = this.#isReady;
    this.#disconnect();
    if (wasReady) {
      this.#replaceHead(`the sandbox ended while computing: ${reason}`);
      return;
    }
    this.#failedStarts++;
    if (this.#failedStarts < MAX_FAILED_STARTS) {
      this.#connect();
      return;
    }
    this.#failedStarts = 0;
    const message = `the sandbox cannot start: ${reason}`;
    for (const pending of this.#waiting.splice(0)) this.#settle(pending, failedResult(message));
    for (const resolve of this.#onReady.splice(0)) resolve();
  }

  #abort(pending: PendingUnit): void {
    pending.isAbandoned = true;
    this.#suspending.delete(pending.id);
    pending.reject(asError(pending.options.signal?.reason));
    const index = this.#waiting.indexOf(pending);
    if (index !== -1) {
      this.#waiting.splice(index, 1);
    } else if (this.#sent[0] === pending) {
      this.#disconnect();
      this.#sent.shift();
      this.#requeueSent();
    } else {
      this.#link?.send({ type: 'drop', ids: [pending.id] });
    }
  }

  #failHead(message: string): void {
    this.#disconnect();
    this.#replaceHead(message);
  }

  #replaceHead(message: string): void {
    const head = this.#sent.shift();
    if (head !== undefined) this.#settle(head, failedResult(message));
    this.#requeueSent();
  }

  #requeueSent(): void {
    this.#waiting.unshift(...this.#sent.filter((pending) => !pending.isAbandoned));
    this.#sent = [];
    this.#dispatch();
  }

  /** Counts the wall clock of the unit that runs now. */
  #watchHead(): void {
    const head = this.#sent[0];
    if (head === undefined) this.#wallClock.end();
    // An abandoned unit that has its turn is dropped at once, unless the sandbox had begun it before it was told.
    else this.#wallClock.restart(head.isAbandoned ? ABANDONED_MS : head.unit.limits.wallMs);
  }

  #settle(pending: PendingUnit, result: UnitResult): void {
    this.#suspending.delete(pending.id);
    this.#release(pending);
    if (!pending.isAbandoned) pending.resolve(result);
  }

  #release({ options, onAbort, onSuspend }: PendingUnit): void {
    options.signal?.removeEventListener('abort', onAbort);
    options.suspend?.removeEventListener('abort', onSuspend);
  }

  #applyStop(): void {
    const isStopped = (this.#isPaused || this.#dutyCycle.isResting) && this.#suspending.size === 0;
    this.#wallClock.setStopped(isStopped);
    // A sandbox that is starting is left alone: it costs little, and could not say that it is ready.
    if (this.#isReady) this.#link?.setStopped(isStopped);
  }

  #find(id: number): PendingUnit | undefined {
    return this.#sent.find((pending) => pending.id === id && !pending.isAbandoned);
  }
}

function failedResult(message: string): UnitResult {
  return { ...infrastructureEnding(message), cycles: 0n, outputs: [], stderr: '', cpuMs: 0, wallMs: 0 };
}

function sentCheckpoint(options: CheckpointOptions | undefined): { checkpoint?: SentCheckpoint } {
  if (options === undefined) return {};
  const everyMs = options.everyMs ?? DEFAULT_CHECKPOINT_MS;
  if ('path' in options) return { checkpoint: { everyMs, path: options.path } };
  return { checkpoint: { everyMs, path: null, from: options.from } };
}

function inlineBytesOf(unit: UnitToRun): number {
  const sizes = Object.values(unit.inputs).map(inlineInputBytes);
  return sizes.reduce((sum, size) => sum + size, 0);
}

function inlineInputBytes(content: InputContent): number {
  switch (content.kind) {
    case 'bytes':
      return content.bytes.length;
    case 'pieces':
      return content.pieces.reduce((sum, piece) => sum + piece.length, 0);
    case 'files':
      return 0;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('the run was aborted', 'AbortError');
}
