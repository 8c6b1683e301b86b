/** Lets one loop sleep until somebody has news for it; news that come before the sleep are not lost. */
export class WakeUp {
  #news = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#news = true;
    this.#wake?.();
  }

  /** Resolves at the next {@link notify}, after `timeoutMs` (Infinity: never), or when the signal aborts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#news && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // Timers hold 31 bits of milliseconds; a wake-up too early only asks again.
      const timer = setTimeout(resolve, Math.min(timeoutMs, 2 ** 31 - 1));
      const done = (): void => {
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done);
      await promise;
      clearTimeout(timer);
      // The signal lives as long as the worker: a listener for each wait would never be freed.
      signal.removeEventListener('abort', done);
      this.#wake = undefined;
    }
    this.#news = false;
  }
}
