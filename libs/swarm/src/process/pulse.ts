/** While something moves: what waits for a peer, the origin or the volunteer's limits is looked at this often. */
const BUSY_MS = 100;
/** While nothing does: the end of a ticket and a word to a silent peer have time. */
const IDLE_MS = 1000;

export interface PulseInit {
  readonly beat: () => void;
  /** Whether nothing moves. */
  readonly isIdle: () => boolean;
}

/** Calls at intervals that are short while there is something to do: a process that wakes ten times a second for nothing costs power. */
export class Pulse {
  #timer: NodeJS.Timeout | undefined;
  #isSlow = false;
  #isOver = false;

  constructor(private readonly init: PulseInit) {}

  start(): void {
    if (!this.#isOver) this.#schedule();
  }

  /** Something has happened that may have given it something to do. */
  stir(): void {
    if (this.#isSlow && !this.#isOver && !this.init.isIdle()) this.#schedule();
  }

  /** Stopping twice is safe. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    // What a beat did may have stirred it already.
    clearTimeout(this.#timer);
    this.#isSlow = this.init.isIdle();
    this.#timer = setTimeout(() => this.#beat(), this.#isSlow ? IDLE_MS : BUSY_MS);
  }

  #beat(): void {
    this.init.beat();
    if (!this.#isOver) this.#schedule();
  }
}
