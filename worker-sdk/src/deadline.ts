/** Timers hold 31 bits of milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Aborts after its time, or with the outer signal; nothing is left of it once it has ended. `AbortSignal.timeout` would stay
 * in memory until its time, however long before that the task is done: a fast host has a million tasks until then. One of
 * `AbortSignal.any` and `AbortSignal.timeout` would stay for good in Node 24 once another signal was made of it.
 */
export class Deadline {
  readonly signal: AbortSignal;
  /** Until it, in whole milliseconds, as far as a timer reaches. */
  readonly leftMs: number;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(outer: AbortSignal, leftMs: number) {
    this.leftMs = Math.max(1, Math.min(leftMs, LONGEST_TIMER_MS));
    const controller = new AbortController();
    this.signal = AbortSignal.any([outer, controller.signal]);
    this.#timer = setTimeout(() => {
      controller.abort(new DOMException('the deadline has passed', 'TimeoutError'));
    }, this.leftMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
