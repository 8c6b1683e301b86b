import type { HeartbeatRequestInput, HeartbeatResponse } from '@gleaner/protocol';
import { CoordinatorError, type CoordinatorClient } from './coordinator-client.js';
import { WakeUp } from './wake-up.js';

/** Until the coordinator names its interval. */
const FIRST_INTERVAL_MS = 60_000;
/** What an earlier run left is told this soon: the coordinator may no longer want it. */
const FIRST_HEARTBEAT_MS = 1_000;

export interface HeartbeatsComponents {
  readonly client: CoordinatorClient;
  /** What the host holds; while it is nothing, heartbeats are sent only where no other call has reached the coordinator. */
  readonly held: () => HeartbeatRequestInput['running'];
  readonly answered: (answer: HeartbeatResponse) => Promise<void>;
}

/** Tells the coordinator at its interval what this host holds, so that leases stay alive. */
export class Heartbeats {
  readonly #changed = new WakeUp();
  #intervalMs = FIRST_INTERVAL_MS;
  #contactAtMs = performance.now();

  constructor(private readonly components: HeartbeatsComponents) {}

  /** The interval that the coordinator wants, in milliseconds; at work from now on. */
  setInterval(intervalMs: number): void {
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#changed.notify();
  }

  /** Another call has reached the coordinator: it knows that this host is there, and has said what it had to say. */
  contacted(): void {
    this.#contactAtMs = performance.now();
  }

  /** Runs until the signal aborts. Rejects only when the token is no longer accepted. */
  async run(signal: AbortSignal): Promise<void> {
    let lastMs = performance.now() - this.#intervalMs + FIRST_HEARTBEAT_MS;
    while (!signal.aborted) {
      const untilDueMs = lastMs + this.#intervalMs - performance.now();
      if (untilDueMs > 0) {
        await this.#changed.wait(untilDueMs, signal);
        continue;
      }
      lastMs = performance.now();
      const running = this.components.held();
      const isSilent = lastMs - this.#contactAtMs >= this.#intervalMs;
      if (running.length > 0 || isSilent) await this.#send(running, signal);
    }
  }

  async #send(running: HeartbeatRequestInput['running'], signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.components.client.heartbeat({ running }, signal);
      this.contacted();
      this.setInterval(answer.nextMs);
      await this.components.answered(answer);
    } catch (error) {
      if (error instanceof CoordinatorError && error.kind === 'revoked') throw error;
      // The work loop tells that the coordinator is away; a missed heartbeat costs nothing before the lease ends.
    }
  }
}
