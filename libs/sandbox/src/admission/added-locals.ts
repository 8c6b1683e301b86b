/** Hands out locals behind a function's own; the header of the rewritten function declares their types. */
export class AddedLocals {
  readonly types: number[] = [];
  readonly #scratch = new Map<string, number>();

  constructor(private readonly first: number) {}

  fresh(type: number): number {
    return this.first + this.types.push(type) - 1;
  }

  /** A local that one inserted sequence uses and the next of the same purpose may reuse. */
  scratch(type: number, purpose = ''): number {
    const key = `${type}${purpose}`;
    let local = this.#scratch.get(key);
    if (local === undefined) {
      local = this.fresh(type);
      this.#scratch.set(key, local);
    }
    return local;
  }
}
