import type { OriginRefusal, SwapAction } from './swap-events.js';
import type { SimulatedTime } from './simulated-time.fixture.js';

const RETRY_AFTER_MS = 200;
/** Its line is busy beyond this. */
const AHEAD_MS = 500;
/** A chunk that was granted and has not come is granted again after this. */
const LOST_AFTER_MS = 3000;

/** The origin's line and its tickets: different chunks for different hosts. */
export class SimulatedOrigin {
  isUp = true;
  /** It grants chunks and then never delivers them. */
  isStuck = false;
  sentBytes = 0;
  readonly #grants = new Map<number, { readonly atMs: number; readonly to: string }>();
  readonly #reporters = new Map<string, Set<string>>();
  readonly #fetched = new Set<number>();
  #freeAtMs = 0;

  /** @param bytesPerSecond 0 for none */
  constructor(
    private readonly time: SimulatedTime,
    private readonly bytesPerSecond: number,
  ) {}

  report(culprit: string, reporter: string): void {
    this.#reporters.set(culprit, (this.#reporters.get(culprit) ?? new Set()).add(reporter));
  }

  /** As many as the line carries in a while; again when they got lost. */
  grant(
    to: string,
    ask: Extract<SwapAction, { kind: 'origin-ask' }>,
  ): { chunks: number[]; otherwise: OriginRefusal; retryAfterMs: number } {
    const { nowMs } = this.time;
    const refuse = (otherwise: OriginRefusal) => ({
      chunks: [],
      otherwise,
      retryAfterMs: RETRY_AFTER_MS,
    });
    if (!this.isUp || this.bytesPerSecond === 0) return refuse('away');
    if (this.#isExposed(to)) return refuse('elsewhere');
    if (this.#freeAtMs - nowMs > AHEAD_MS) return refuse('busy');
    const wanted = [...ask.wanted];
    const fresh = wanted.filter((chunk) => !this.#grants.has(chunk));
    const lost = wanted.filter((chunk) => {
      const grant = this.#grants.get(chunk);
      if (!grant) return false;
      if (this.#isExposed(grant.to)) return true;
      return (ask.urgent || !this.#fetched.has(chunk)) && nowMs - grant.atMs > LOST_AFTER_MS;
    });
    const chunks = [...fresh, ...lost].slice(0, ask.count);
    for (const chunk of chunks) this.#grants.set(chunk, { atMs: nowMs, to });
    return { ...refuse('elsewhere'), chunks };
  }

  /** When the last byte of a chunk has left. */
  send(bytes: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, this.time.nowMs) + (bytes / this.bytesPerSecond) * 1000;
    return this.#freeAtMs;
  }

  delivered(chunk: number, bytes: number): void {
    this.sentBytes += bytes;
    this.#fetched.add(chunk);
  }

  /** Two hosts agree that it serves bad chunks. */
  #isExposed(name: string): boolean {
    return (this.#reporters.get(name)?.size ?? 0) >= 2;
  }
}
