import type { Probe } from './probe.js';

export interface PolledProbeInit<T> {
  /** Takes a reading; rejecting means unknown. */
  readonly poll: (signal: AbortSignal) => Promise<T | null>;
  /** Milliseconds between two readings. */
  readonly everyMs: number;
  /** A reading that takes longer is given up. */
  readonly timeoutMs: number;
  readonly nowMs?: () => number;
}

/** A probe that takes time to read: answers with its last reading and takes the next one in the background. */
export class PolledProbe<T> implements Probe<T> {
  readonly #closing = new AbortController();
  readonly #nowMs: () => number;
  #value: T | null = null;
  #polledAtMs = Number.NEGATIVE_INFINITY;
  #polling: Promise<void> | null = null;

  constructor(private readonly init: PolledProbeInit<T>) {
    this.#nowMs = init.nowMs ?? (() => performance.now());
  }

  async ready(): Promise<void> {
    this.read();
    await this.#polling;
  }

  read(): T | null {
    const isDue = this.#nowMs() - this.#polledAtMs >= this.init.everyMs;
    if (isDue && this.#polling === null && !this.#closing.signal.aborted) {
      this.#polledAtMs = this.#nowMs();
      this.#polling = this.#poll().finally(() => {
        this.#polling = null;
      });
    }
    return this.#value;
  }

  close(): void {
    this.#closing.abort();
  }

  async #poll(): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.init.timeoutMs)]);
    this.#value = await this.init.poll(signal).catch(() => null);
  }
}
