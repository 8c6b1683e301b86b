type End = () => Promise<unknown>;

/** What has been started together, to be ended in reverse order: by whoever started it, or because the program is interrupted. */
export class Started {
  static readonly #living = new Set<Started>();
  static #isOver = false;
  readonly #ends: End[] = [];

  constructor() {
    if (Started.#isOver) throw new Error('interrupted');
    Started.#living.add(this);
  }

  /** Ends everything, also what is still starting. Nothing can be started any more. */
  static async endAll(): Promise<void> {
    Started.#isOver = true;
    for (const started of Started.#living) await started.end();
  }

  /** @param starting what `end` gets, however its start ends */
  async add<T>(starting: Promise<T>, end: (started: T) => Promise<unknown>): Promise<T> {
    // What never came to be needs no end.
    this.#ends.push(() => starting.then(end, () => undefined));
    return await starting;
  }

  /** Ending twice is safe. */
  async end(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) await end();
    Started.#living.delete(this);
  }
}
