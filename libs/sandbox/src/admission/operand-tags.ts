/*
 * Where an operand's bits come from. A tag is one of these two, or at and above zero the value of that local, at and above
 * LANE a vector's lane as a scalar, at and above VECTOR a vector; the latter two by the value's number in VectorShapes.
 */

/** The same bits everywhere: from memory, a constant, a global, or not a float. */
export const CLEAN = -1;
/** Arithmetic's, or from where the analysis does not follow. */
export const UNKNOWN = -2;
export const LANE = 0x2000_0000;
export const VECTOR = 0x4000_0000;

/** The number of a vector in VectorShapes, null for other operands. */
export function vectorOf(tag: number): number | null {
  return tag < VECTOR ? null : tag - VECTOR;
}

/** The tag of a scalar that is one of two. */
export function eitherScalar(first: number, second: number): number {
  if (first === second || second === CLEAN) return first;
  return first === CLEAN ? second : UNKNOWN;
}

/** The abstract operand stack of a function. */
export class OperandTags {
  readonly #tags: number[] = [];

  get height(): number {
    return this.#tags.length;
  }

  /** Drops operands down to a height that a frame began with. */
  cutTo(height: number): void {
    this.#tags.length = Math.min(this.#tags.length, height);
  }

  push(tag: number): void {
    this.#tags.push(tag);
  }

  pushMany(count: number, tag: number): void {
    for (let left = count; left > 0; left--) this.#tags.push(tag);
  }

  /** The operand at a depth, 0 being the top. */
  at(depth: number): number {
    return this.#tags[this.#tags.length - 1 - depth] ?? UNKNOWN;
  }

  pop(): number {
    return this.#tags.pop() ?? UNKNOWN;
  }

  drop(count: number): void {
    for (let left = Math.min(count, this.#tags.length); left > 0; left--) this.#tags.pop();
  }

  /** Operands in their order. */
  popMany(count: number): number[] {
    const operands: number[] = [];
    for (let depth = count - 1; depth >= 0; depth--) operands.push(this.at(depth));
    this.drop(count);
    return operands;
  }
}
