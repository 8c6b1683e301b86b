import type { HeartbeatRequestInput, HeartbeatResponse } from '@gleaner/protocol';
import { CoordinatorError, type CoordinatorClient } from './coordinator-client.js';
import { WakeUp } from './wake-up.js';

/** Until the coordinator names its interval. */
const FIRST_INTERVAL_MS = 60_000;

export interface HeartbeatsComponents {
  readonly client: CoordinatorClient;
  /** What the host holds; no heartbeat is sent while it is nothing. */
  readonly held: () => HeartbeatRequestInput['running'];
  readonly answered: (answer: HeartbeatResponse) => Promise<void>;
}

/** Tells the coordinator at its interval what this host holds, so that leases stay alive. */
export class Heartbeats {
  readonly #changed = new WakeUp();
  #intervalMs = FIRST_INTERVAL_MS;

  constructor(private readonly components: HeartbeatsComponents) {}

  /** The interval that the coordinator wants, in milliseconds; at work from now on. */
  setInterval(intervalMs: number): void {
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#changed.notify();
  }

  /** Runs until the signal aborts. Rejects only when the token is no longer accepted. */
  async run(signal: AbortSignal): Promise<void> {
    let lastMs = Date.now();
    while (!signal.aborted) {
      const untilDueMs = lastMs + this.#intervalMs - Date.now();
      if (untilDueMs > 0) {
        await this.#changed.wait(untilDueMs, signal);
        continue;
      }
      lastMs = Date.now();
      const running = this.components.held();
      if (running.length > 0) await this.#send(running, signal);
    }
  }

  async #send(running: HeartbeatRequestInput['running'], signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.components.client.heartbeat({ running }, signal);
      this.setInterval(answer.nextMs);
      await this.components.answered(answer);
    } catch (error) {
      if (error instanceof CoordinatorError && error.kind === 'revoked') throw error;
      // The work loop tells that the coordinator is away; a missed heartbeat costs nothing before the lease ends.
    }
  }
}
