import { LANE, UNKNOWN } from './operand-tags.js';

/**
 * Which scalar locals may hold a NaN whose bits an engine chose, wherever in the function; observations of a local or a
 * vector's lane wait until that is known.
 */
export class ScalarTaint {
  #tainted: Uint8Array = new Uint8Array(0);
  /** Copies between locals: source, then destinations. */
  #copies = new Map<number, number[]>();
  /** Locals that are assigned a vector's lane: local and tag. */
  #laneCopies: Array<readonly [local: number, tag: number]> = [];
  #observations: Array<readonly [at: number, tag: number]> = [];

  /** The first `tainted` locals, the parameters, come from where the analysis does not follow. */
  reset(locals: number, tainted: number): void {
    if (this.#tainted.length < locals) this.#tainted = new Uint8Array(locals * 2);
    this.#tainted.fill(0, 0, locals);
    this.#tainted.fill(1, 0, tainted);
    this.#copies.clear();
    this.#laneCopies.length = 0;
    this.#observations.length = 0;
  }

  assign(local: number, tag: number): void {
    if (tag === UNKNOWN) this.#tainted[local] = 1;
    else if (tag >= LANE) this.#laneCopies.push([local, tag]);
    else if (tag >= 0 && tag !== local) {
      const copies = this.#copies.get(tag);
      if (copies === undefined) this.#copies.set(tag, [local]);
      else copies.push(local);
    }
  }

  /** Instruction `at` observes a local or lane. */
  observe(at: number, tag: number): void {
    this.#observations.push([at, tag]);
  }

  /** Calls back for each observation that sees none of an engine's bits; `isLoose` tells it of a lane by its value. */
  solve(isLoose: (value: number) => boolean, needsNothing: (at: number) => void): void {
    for (const [local, tag] of this.#laneCopies) if (isLoose(tag - LANE)) this.#tainted[local] = 1;
    this.#spread();
    for (const [at, tag] of this.#observations)
      if (tag < LANE ? this.#tainted[tag] === 0 : !isLoose(tag - LANE)) needsNothing(at);
  }

  #spread(): void {
    const queue = [...this.#copies.keys()].filter((local) => this.#tainted[local] === 1);
    for (let local = queue.pop(); local !== undefined; local = queue.pop()) {
      for (const copy of this.#copies.get(local) ?? []) {
        if (this.#tainted[copy] === 1) continue;
        this.#tainted[copy] = 1;
        queue.push(copy);
      }
    }
  }
}
