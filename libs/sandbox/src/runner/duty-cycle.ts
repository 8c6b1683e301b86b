const PERIOD_MS = 500;

/** Alternates work and rest so that work takes its share of the time. */
export class DutyCycle {
  readonly #onChange: () => void;
  #share = 1;
  #isResting = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get isResting(): boolean {
    return this.#isResting;
  }

  /** @throws RangeError unless 0 < share ≤ 1 */
  setShare(share: number): void {
    if (!(share > 0 && share <= 1))
      throw new RangeError(`a duty cycle lies between 0 and 1, not at ${share}`);
    this.end();
    this.#share = share;
    if (share < 1) this.#work();
  }

  /** Goes back to working without rest. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#switch(false);
  }

  #work(): void {
    this.#switch(false);
    this.#after(PERIOD_MS * this.#share, () => this.#rest());
  }

  #rest(): void {
    this.#switch(true);
    this.#after(PERIOD_MS * (1 - this.#share), () => this.#work());
  }

  #after(ms: number, act: () => void): void {
    const timer: { unref?: () => void } = (this.#timer = setTimeout(act, ms));
    // Browsers' timers are numbers: there is nothing to detach.
    timer.unref?.();
  }

  #switch(isResting: boolean): void {
    if (isResting === this.#isResting) return;
    this.#isResting = isResting;
    this.#onChange();
  }
}
