import type { SandboxReply, SandboxRequest } from '../runner/messages.js';
import type { RunOptions, UnitResult, UnitToRun } from '../runner/types.js';
import { UnitScheduler, type LinkEvents, type SandboxLink } from '../runner/unit-scheduler.js';

export interface SandboxWorkerOptions {
  /** Makes a worker of `@gleaner/sandbox/browser/worker`, for bundlers that place it elsewhere. */
  readonly createWorker?: () => Worker;
  /** Share of the time (0 to 1] that it computes, between the steps of stepping apps. */
  readonly dutyCycle?: number;
}

/**
 * One Web Worker that computes units, with the same methods and the same results as `SandboxProcess` in Node. A browser
 * cannot stop a worker in the middle of a call: pausing and resting take effect between steps and between units.
 */
export class SandboxWorker {
  readonly #scheduler: UnitScheduler;

  constructor(options: SandboxWorkerOptions = {}) {
    const createWorker = options.createWorker ?? defaultWorker;
    this.#scheduler = new UnitScheduler((events) => openWorker(createWorker(), events));
    if (options.dutyCycle !== undefined) this.#scheduler.setDutyCycle(options.dutyCycle);
  }

  /** A worker that has started. */
  static async start(options: SandboxWorkerOptions = {}): Promise<SandboxWorker> {
    const sandbox = new SandboxWorker(options);
    await sandbox.#scheduler.start();
    return sandbox;
  }

  /**
   * Computes a unit; modules and inputs come as bytes. Units handed in while another runs wait in order. What goes
   * wrong on this host is the outcome `infrastructure`; the promise rejects only with the reason of `options.signal`.
   */
  run(unit: UnitToRun, options: RunOptions = {}): Promise<UnitResult> {
    return this.#scheduler.run(unit, options);
  }

  pause(): void {
    this.#scheduler.pause();
  }

  resume(): void {
    this.#scheduler.resume();
  }

  /** Computes only a share (0 to 1] of the time. */
  setDutyCycle(share: number): void {
    this.#scheduler.setDutyCycle(share);
  }

  /** Ends the worker; unfinished units end as `infrastructure`. Closing twice is safe. */
  close(): Promise<void> {
    this.#scheduler.close();
    return Promise.resolve();
  }
}

function defaultWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

function openWorker(worker: Worker, events: LinkEvents): SandboxLink {
  // Only the sandbox's own program answers, and both are built from one source.
  worker.addEventListener('message', ({ data }: MessageEvent<SandboxReply>) => events.onReply(data));
  worker.addEventListener('error', (event) => events.onEnd(event.message));
  const send = (request: SandboxRequest): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origin
    worker.postMessage(request);
  };
  return {
    send,
    kill: () => worker.terminate(),
    setStopped: (isStopped) => send({ type: 'hold', isHeld: isStopped }),
    // A page lives as long as it is open.
    setHolding: () => {},
  };
}
