import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { perOpcode } from '../binary/opcodes.js';
import { constantShapes, shuffled } from './lane-shapes.js';
import { ROLE, lanesRead, lanesWritten, role } from './nan-roles.js';
import { CLEAN, LANE, type OperandTags, UNKNOWN, VECTOR, vectorOf } from './operand-tags.js';
import { FIXED_VECTOR, SHAPES, type VectorShapes } from './vector-shapes.js';

const popCount = perOpcode(({ pops }) => pops?.length ?? 0);

/** What instructions do to vectors on the operand stack, told to {@link VectorShapes}. */
export class VectorOperands {
  constructor(
    private readonly stack: OperandTags,
    private readonly vectors: VectorShapes,
  ) {}

  /** Follows instruction i of `body`, which was decoded from `bytes`; returns false where its role is none of vectors. */
  compute(i: number, body: InstructionBuffer, bytes: Uint8Array): boolean {
    const { stack, vectors } = this;
    const code = body.code[i]!;
    const end = body.start[i + 1]!;
    switch (role[code] ?? ROLE.plain) {
      case ROLE.vectorArithmetic:
        this.#read(popCount[code]!, lanesRead[code]!);
        this.push(vectors.produce(i, lanesWritten[code]!));
        return true;
      case ROLE.vectorCompare:
        this.#read(popCount[code]!, lanesRead[code]!);
        stack.push(CLEAN);
        return true;
      case ROLE.extractLane: {
        const value = vectorOf(stack.pop());
        stack.push(value === null ? CLEAN : LANE + vectors.move(i, lanesRead[code]!, [value]));
        return true;
      }
      case ROLE.splat:
        // What arithmetic made is arithmetic in each lane, too; anything else is observed here.
        this.push(stack.pop() === UNKNOWN ? vectors.produce(i, lanesWritten[code]!) : FIXED_VECTOR);
        return true;
      case ROLE.replaceLane: {
        const shapes = stack.pop() === UNKNOWN ? lanesWritten[code]! : SHAPES.none;
        this.move(i, shapes, [stack.pop()]);
        return true;
      }
      case ROLE.vectorPick:
        this.move(i, lanesRead[code]!, stack.popMany(popCount[code]!));
        return true;
      case ROLE.shuffle: {
        const { shapes, from } = shuffled(bytes, end);
        const operands = stack.popMany(2);
        this.move(
          i,
          shapes,
          operands.filter((_, operand) => from.includes(operand)),
        );
        return true;
      }
      case ROLE.vectorConstant: {
        const shapes = constantShapes(bytes, end);
        this.push(shapes === SHAPES.none ? FIXED_VECTOR : vectors.produce(i, shapes));
        return true;
      }
      case ROLE.vectorStore: {
        const value = vectorOf(stack.pop());
        if (value !== null) vectors.store(i, value);
        stack.pop();
        return true;
      }
      default:
        return false;
    }
  }

  push(value: number): void {
    this.stack.push(value === FIXED_VECTOR ? CLEAN : VECTOR + value);
  }

  /** The operand goes where all of its bits can be seen, or kept. */
  keepBits(tag: number): void {
    const value = vectorOf(tag);
    if (value !== null) this.vectors.use(value, SHAPES.none);
  }

  /** Lanes move; where one operand's bits have to stay as they are, the others become canonical first. */
  move(i: number, shapes: number, tags: readonly number[]): void {
    const values = tags.map(vectorOf).filter((value) => value !== null);
    if (shapes !== SHAPES.none && values.length === tags.length)
      this.push(this.vectors.move(i, shapes, values));
    else {
      for (const tag of tags) this.keepBits(tag);
      this.stack.push(CLEAN);
    }
  }

  #read(operands: number, shapes: number): void {
    for (const tag of this.stack.popMany(operands)) {
      const value = vectorOf(tag);
      if (value !== null) this.vectors.use(value, shapes);
    }
  }
}
