import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import * as OP from './control-opcodes.js';

/** A value as a root (something that is not known) plus a constant, modulo 2^32. */
export interface Symbolic {
  readonly root: number;
  readonly delta: number;
}

/** What a local was last known to be, and the frame that was innermost then. */
interface Known {
  readonly value: Symbolic;
  readonly depth: number;
  readonly frame: number;
}

interface LoopFrame {
  readonly depth: number;
  /** The instruction that ends it. */
  readonly end: number;
}

/**
 * What locals hold, followed through a body's structure in one pass. A value outlives neither the block (or the arm of
 * an `if`) in which it was assigned, because a branch may have passed the assignment by, nor the head of a loop that
 * assigns the local further down, because the next round starts with that.
 */
export class SymbolicLocals {
  readonly #known = new Map<number, Known>();
  /** Where each local is assigned next, seen from the instruction at hand. */
  readonly #nextAssignment = new Map<number, number>();
  /** At an assignment: where the same local is assigned next; at a loop: its end. */
  #after = new Int32Array(1024);
  /** Numbers of the open frames, outermost first; each arm of an `if` has its own. */
  #frames: number[] = [];
  #loops: LoopFrame[] = [];
  #lastFrame = 0;

  /** Begins with another body, nothing known. */
  reset(body: InstructionBuffer): void {
    this.#known.clear();
    this.#nextAssignment.clear();
    this.#frames = [0];
    this.#loops = [];
    this.#lastFrame = 0;
    if (this.#after.length < body.count) this.#after = new Int32Array(body.count * 2);
    const ends: number[] = [];
    for (let i = body.count - 1; i >= 0; i--) {
      const code = body.code[i]!;
      if (code === OP.END) ends.push(i);
      else if (code === OP.BLOCK || code === OP.LOOP || code === OP.IF)
        this.#after[i] = ends.pop() ?? body.count;
      else if (code === OP.LOCAL_SET || code === OP.LOCAL_TEE) {
        const local = body.immediate[i]!;
        this.#after[i] = this.#nextAssignment.get(local) ?? NEVER;
        this.#nextAssignment.set(local, i);
      }
    }
  }

  /** To be told of every instruction that opens, divides or ends a frame. */
  passControl(i: number, code: number): void {
    if (code === OP.LOOP) this.#loops.push({ depth: this.#frames.length, end: this.#after[i]! });
    if (code === OP.END || code === OP.ELSE) {
      this.#frames.pop();
      if (this.#loops.at(-1)?.depth === this.#frames.length) this.#loops.pop();
    }
    if (code === OP.BLOCK || code === OP.LOOP || code === OP.IF || code === OP.ELSE)
      this.#frames.push(++this.#lastFrame);
  }

  /** Instruction i assigns a local. */
  assign(i: number, local: number, value: Symbolic): void {
    this.#nextAssignment.set(local, this.#after[i]!);
    this.#know(local, value);
  }

  /** What a local holds; null where that is not known. */
  valueOf(local: number): Symbolic | null {
    const known = this.#known.get(local);
    if (known === undefined || this.#frames[known.depth] !== known.frame) return null;
    const loop = this.#outermostLoopIn(known.depth);
    const isAssignedInLoop = loop !== undefined && (this.#nextAssignment.get(local) ?? NEVER) < loop.end;
    return isAssignedInLoop ? null : known.value;
  }

  /** Gives a name to a value that is not known. */
  name(local: number, value: Symbolic): void {
    this.#know(local, value);
  }

  #know(local: number, value: Symbolic): void {
    const depth = this.#frames.length - 1;
    this.#known.set(local, { value, depth, frame: this.#frames[depth] ?? 0 });
  }

  /** The outermost open loop inside the frame of this depth. */
  #outermostLoopIn(depth: number): LoopFrame | undefined {
    let [from, to] = [0, this.#loops.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#loops[middle]!.depth > depth) to = middle;
      else from = middle + 1;
    }
    return this.#loops[from];
  }
}

const NEVER = 2 ** 31 - 1;
