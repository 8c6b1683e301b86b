import type { OpenLink } from './sandbox-link.js';
import type { RunOptions, UnitResult, UnitToRun } from './types.js';
import { UnitScheduler } from './unit-scheduler.js';

/** One sandbox that computes units, wherever it runs; see `SandboxProcess` for Node and `SandboxWorker` for browsers. */
export class Sandbox {
  readonly #scheduler: UnitScheduler;

  /** `dutyCycle`: share of the time (0 to 1] that it computes. */
  protected constructor(open: OpenLink, dutyCycle: number | undefined) {
    this.#scheduler = new UnitScheduler(open);
    if (dutyCycle !== undefined) this.#scheduler.setDutyCycle(dutyCycle);
  }

  /** Starts it ahead of the first unit; resolves when it is ready (or closed). */
  protected async started(): Promise<this> {
    await this.#scheduler.start();
    return this;
  }

  /**
   * Computes a unit. Units handed in while another runs wait in order, up to `MAX_WAITING_UNITS`; beyond that the promise
   * rejects with a RangeError. What goes wrong on this host is the outcome `infrastructure`; otherwise the promise rejects
   * only with the reason of `options.signal` or `options.suspend`.
   */
  run(unit: UnitToRun, options: RunOptions = {}): Promise<UnitResult> {
    return this.#scheduler.run(unit, options);
  }

  /** Stops computing until {@link resume}, without touching results and counts; wall clocks stand still. */
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

  /** Ends it; unfinished units end as `infrastructure`. Closing twice is safe. */
  close(): Promise<void> {
    this.#scheduler.close();
    return Promise.resolve();
  }
}
