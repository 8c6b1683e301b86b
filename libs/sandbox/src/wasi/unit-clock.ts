/** Realtime at the start of every unit: 2000-01-01T00:00:00Z, in nanoseconds. */
export const CLOCK_START_NS = 946_684_800_000_000_000n;
/** Every reading of the clock moves it by this much, so that waiting loops end. */
export const CLOCK_STEP_NS = 1_000n;
const MAX_ELAPSED_NS = 2n ** 63n - 1n - CLOCK_START_NS;

/** The unit's virtual time: it moves by 1 µs at each reading and by what the app asks to sleep, never by itself. */
export class UnitClock {
  #elapsedNs: bigint;

  constructor(elapsedNs = 0n) {
    this.#elapsedNs = elapsedNs;
  }

  /** Nanoseconds since the unit's start, without moving the clock. */
  get elapsedNs(): bigint {
    return this.#elapsedNs;
  }

  get realtimeNs(): bigint {
    return CLOCK_START_NS + this.#elapsedNs;
  }

  /** Moves the clock by one step and reads it; clock 0 is realtime, the others count from the unit's start. */
  read(clockId: number): bigint {
    this.advance(CLOCK_STEP_NS);
    return this.peek(clockId);
  }

  peek(clockId: number): bigint {
    return clockId === 0 ? this.realtimeNs : this.#elapsedNs;
  }

  /** Sleeps: time stops at the end of the signed 64-bit range rather than wrapping. */
  advance(byNs: bigint): void {
    const next = this.#elapsedNs + byNs;
    this.#elapsedNs = next > MAX_ELAPSED_NS ? MAX_ELAPSED_NS : next;
  }
}
