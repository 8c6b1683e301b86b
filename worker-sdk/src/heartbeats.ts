import type { HeartbeatRequestInput, HeartbeatResponse } from '@gleaner/protocol';
import { CoordinatorError, type CoordinatorClient } from './coordinator-client.js';
import type { StateNotices } from './state-notices.js';
import { WakeUp } from './wake-up.js';

/** Until the coordinator names its interval. */
const FIRST_INTERVAL_MS = 60_000;
/** What an earlier run left is told this soon: the coordinator may no longer want it. */
const FIRST_HEARTBEAT_MS = 1_000;

/** A change of state is not worth more heartbeats than this. */
const NOTICE_FLOOR_MS = 30_000;
/** Another call may take the first one along. */
const FIRST_NOTICE_MS = 2_000;

export interface HeartbeatsComponents {
  readonly client: CoordinatorClient;
  /** What the host holds; while it is nothing, heartbeats are sent only where no other call has reached the coordinator. */
  readonly held: () => HeartbeatRequestInput['running'];
  /** What has to be said of the host's state, by whichever call comes first. */
  readonly notices: StateNotices;
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

  /** The host's state may have changed. */
  stateChanged(): void {
    if (this.components.notices.untilDueMs(performance.now()) < Number.POSITIVE_INFINITY)
      this.#changed.notify();
  }

  /** Another call has reached the coordinator: it knows that this host is there, and has said what it had to say. */
  contacted(): void {
    this.#contactAtMs = performance.now();
  }

  /** Runs until the signal aborts. Rejects only when the token is no longer accepted. */
  async run(signal: AbortSignal): Promise<void> {
    let lastMs = performance.now() - this.#intervalMs + FIRST_HEARTBEAT_MS;
    let noticeMs = performance.now() - NOTICE_FLOOR_MS + FIRST_NOTICE_MS;
    while (!signal.aborted) {
      const nowMs = performance.now();
      const untilDueMs = Math.min(lastMs + this.#intervalMs - nowMs, this.#untilNoticeMs(nowMs, noticeMs));
      if (untilDueMs > 0) {
        await this.#changed.wait(untilDueMs, signal);
        continue;
      }
      lastMs = noticeMs = performance.now();
      const running = this.components.held();
      const isSilent = lastMs - this.#contactAtMs >= this.#intervalMs;
      const hasNews = this.components.notices.due(lastMs) !== undefined;
      if (running.length > 0 || isSilent || hasNews) await this.#send(running, signal);
    }
  }

  /** No sooner than the notice's own floor after a heartbeat: one that did not arrive is not sent again at once. */
  #untilNoticeMs(nowMs: number, noticeMs: number): number {
    return Math.max(this.components.notices.untilDueMs(nowMs), noticeMs + NOTICE_FLOOR_MS - nowMs);
  }

  async #send(running: HeartbeatRequestInput['running'], signal: AbortSignal): Promise<void> {
    try {
      const state = this.components.notices.due(performance.now());
      const answer = await this.components.client.heartbeat({ running, ...(state && { state }) }, signal);
      this.components.notices.told(state, performance.now());
      this.contacted();
      this.setInterval(answer.nextMs);
      await this.components.answered(answer);
    } catch (error) {
      if (error instanceof CoordinatorError && error.kind === 'revoked') throw error;
      // The work loop tells that the coordinator is away; a missed heartbeat costs nothing before the lease ends.
    }
  }
}
