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
      await new Promise<void>((resolve) => {
        // Timers hold 31 bits of milliseconds; a wake-up too early only asks again.
        const timer = setTimeout(resolve, Math.min(timeoutMs, 2 ** 31 - 1));
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
      this.#wake = undefined;
    }
    this.#news = false;
  }
}
