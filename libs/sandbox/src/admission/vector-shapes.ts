/** Sets of lane shapes, as bits. */
export const SHAPES = { none: 0, f32x4: 1, f64x2: 2, both: 3 } as const;

/** The value whose bits are the same everywhere, NaN or not. */
export const FIXED_VECTOR = 0;
/** The nodes 0 to 3 have the set of shapes that is their number; locals follow. */
const FIRST_LOCAL = 4;
/** A local holds what it held when control last came together. */
const CARRIED = -1;

interface Value {
  readonly node: number;
  readonly site: number;
  /** Whether all of its bits go where they can be seen. */
  isSeen: boolean;
}

interface VectorStore {
  readonly at: number;
  readonly value: number;
}

/**
 * Follows vectors through operands, locals and lane moves to where their bits can be seen.
 *
 * Each value has the set of shapes in which making it canonical destroys nothing: every NaN in those lanes is
 * arithmetic's, not a copy of an app's own bits. Arithmetic on f32x4 gives {f32x4}, a constant without NaN both,
 * memory none. What is put together from several values (lanes shuffled, one of two selected, a local where paths
 * meet) has the shapes that all of them share. So only a value with exactly one shape can hold bits that engines choose;
 * one that goes where its shape is lost is made canonical before, at the instruction that put it on the stack.
 *
 * Locals are followed from instruction to instruction up to where paths meet; there, one node for each local stands
 * for all values that it is ever left with. The cost is linear in the length of the body.
 */
export class VectorShapes {
  #shapes: number[] = [];
  #values: Value[] = [];
  /** Uses of values in the order of their finding, and the list of those of each node: first, then next. */
  #uses: Array<{ readonly value: number; readonly target: number; readonly next: number }> = [];
  #firstUse: number[] = [];
  #stores: VectorStore[] = [];
  #current = new Int32Array(0);
  #isRead = new Uint8Array(0);
  /** Locals that hold a value found since paths met, and those of them that no path has carried away yet. */
  #known: number[] = [];
  #assigned: number[] = [];
  #localCount = 0;

  reset(locals: number, parameters: number): void {
    this.#shapes = [0, 1, 2, 3];
    for (let local = 0; local < locals; local++)
      this.#shapes.push(local < parameters ? SHAPES.none : SHAPES.both);
    this.#firstUse = this.#shapes.map(() => -1);
    this.#values = [{ node: SHAPES.none, site: -1, isSeen: false }];
    this.#uses = [];
    this.#stores = [];
    if (this.#current.length < locals) {
      this.#current = new Int32Array(locals * 2);
      this.#isRead = new Uint8Array(locals * 2);
    }
    this.#current.fill(CARRIED, 0, locals);
    this.#isRead.fill(0, 0, locals);
    this.#known = [];
    this.#assigned = [];
    this.#localCount = locals;
  }

  /** The result of an instruction with these shapes: arithmetic or a constant. */
  produce(site: number, shapes: number): number {
    return this.#values.push({ node: shapes, site, isSeen: false }) - 1;
  }

  /** The result of an instruction that moves lanes of whole `shapes`, but changes no bits that make a NaN one. */
  move(site: number, shapes: number, from: readonly number[]): number {
    const node = this.#shapes.push(shapes) - 1;
    this.#firstUse.push(-1);
    for (const value of from) this.use(value, node);
    return this.produce(site, node);
  }

  /** The value is read in lanes of these shapes only; with none, all of its bits can be seen. */
  use(value: number, target: number): void {
    const source = this.#values[value]!;
    if (target === SHAPES.none) {
      // Every branch sees what it hands on: once is enough to know it.
      if (source.isSeen) return;
      source.isSeen = true;
    }
    const { node } = source;
    this.#uses.push({ value, target, next: this.#firstUse[node]! });
    this.#firstUse[node] = this.#uses.length - 1;
  }

  /** A store of the whole vector. */
  store(at: number, value: number): void {
    this.#stores.push({ at, value });
  }

  getLocal(site: number, local: number): number {
    const value = this.#current[local]!;
    if (value === FIXED_VECTOR) return FIXED_VECTOR;
    if (value !== CARRIED) return this.produce(site, this.#values[value]!.node);
    this.#isRead[local] = 1;
    return this.produce(site, FIRST_LOCAL + local);
  }

  setLocal(local: number, value: number): void {
    if (this.#current[local] === CARRIED) this.#known.push(local);
    this.#current[local] = value;
    this.#assigned.push(local);
  }

  /** Control may go elsewhere from here. */
  fork(): void {
    for (const local of this.#assigned) this.use(this.#current[local]!, FIRST_LOCAL + local);
    this.#assigned.length = 0;
  }

  /** Control may come from elsewhere to here. */
  join(): void {
    this.fork();
    for (const local of this.#known) this.#current[local] = CARRIED;
    this.#known.length = 0;
  }

  /** Decides what is made canonical and where; `atSite` and `atStore` are told the instruction and the one shape. */
  solve(
    atSite: (site: number, shape: number) => void,
    atStore: (store: number, site: number, shape: number) => void,
  ): void {
    this.#narrow();
    for (const { value, target } of this.#uses) {
      const shape = this.loose(value);
      if (shape === SHAPES.none || (this.#shapes[target]! & shape) !== 0) continue;
      if (this.#isNeverRead(target)) continue;
      atSite(this.#values[value]!.site, shape);
    }
    for (const { at, value } of this.#stores) {
      const shape = this.loose(value);
      if (shape !== SHAPES.none) atStore(at, this.#values[value]!.site, shape);
    }
  }

  /** The shape in which the value may hold bits that engines choose, or none. Final once solved. */
  loose(value: number): number {
    const shapes = this.#shapes[this.#values[value]!.node]!;
    return shapes === SHAPES.both ? SHAPES.none : shapes;
  }

  /** Each node's set shrinks twice at most, so each use is followed at most three times. */
  #narrow(): void {
    const queue = this.#shapes.map((_, node) => node);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      const shapes = this.#shapes[node]!;
      for (let use = this.#firstUse[node]!; use >= 0; use = this.#uses[use]!.next) {
        const { target } = this.#uses[use]!;
        const shared = this.#shapes[target]! & shapes;
        if (target < FIRST_LOCAL || shared === this.#shapes[target]) continue;
        this.#shapes[target] = shared;
        queue.push(target);
      }
    }
  }

  /** A local that no path reads after it met another. */
  #isNeverRead(node: number): boolean {
    const local = node - FIRST_LOCAL;
    return local >= 0 && local < this.#localCount && this.#isRead[local] === 0;
  }
}
