/** Addresses come and go one after the other when a machine joins a network: they count once they have been the same so often. */
const STEADY_LOOKS = 3;

/** Notices that a machine has moved to another network. */
export class AddressWatch {
  readonly #atStart: string;
  #last: string;
  #looks = 0;

  /** @param read the addresses as of now; what it throws counts as having none */
  constructor(private readonly read: () => unknown) {
    this.#atStart = this.#now();
    this.#last = this.#atStart;
  }

  /** Whether the addresses are others than at the start, and have stopped changing. To be asked every few seconds. */
  hasChanged(): boolean {
    const now = this.#now();
    this.#looks = now === this.#last ? this.#looks + 1 : 1;
    this.#last = now;
    return now !== this.#atStart && this.#looks >= STEADY_LOOKS;
  }

  #now(): string {
    try {
      return JSON.stringify(this.read());
    } catch {
      // None of the allowed interfaces has an address, says whoever starts the process next.
      return 'none';
    }
  }
}
