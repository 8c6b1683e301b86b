import { LIMITS, type HostState } from '@gleaner/protocol';

/** A host that changes its mind every second says so no more often than this. */
const FLOOR_MS = 30_000;

/**
 * What the coordinator has yet to be told of this host's state, so that its owner sees from afar why it rests. What the host
 * works on the coordinator knows: while it works, only that is said.
 */
export class StateNotices {
  #told: HostState | null = null;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** @param now what the host does at the moment, and why; null while that is not known */
  constructor(private readonly now: () => HostState | null) {}

  /** What the next call has to say; nothing where that was said already, or something else a moment ago. */
  due(nowMs: number): HostState | undefined {
    return this.untilDueMs(nowMs) <= 0 ? (this.#current() ?? undefined) : undefined;
  }

  /** Milliseconds until there is something to say; Infinity where nothing has changed. */
  untilDueMs(nowMs: number): number {
    const current = this.#current();
    const isNews = current && (this.#told === null || !isSame(this.#told, current));
    return isNews ? this.#toldAtMs + FLOOR_MS - nowMs : Number.POSITIVE_INFINITY;
  }

  /** The coordinator has heard it. */
  told(state: HostState | undefined, nowMs: number): void {
    if (!state) return;
    this.#told = state;
    this.#toldAtMs = nowMs;
  }

  #current(): HostState | null {
    const state = this.now();
    return state && { phase: state.phase, reason: shortened(state.reason) };
  }
}

function isSame(a: HostState, b: HostState): boolean {
  return a.phase === b.phase && (a.phase === 'working' || a.reason === b.reason);
}

/** Of at most {@link LIMITS.hostReasonLength} UTF-16 code units, none of them half of a character, and without NUL. */
function shortened(reason: string): string {
  const clean = reason.replaceAll('\0', '').toWellFormed();
  if (clean.length <= LIMITS.hostReasonLength) return clean;
  const cut = clean.slice(0, LIMITS.hostReasonLength - 1);
  // A pair that was cut in two.
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}
