import {
  EMPTY,
  END,
  free,
  type Instruction,
  LOADS,
  NUMBERS,
  op,
  OPERATORS,
  simd,
  STORES,
  type Type,
  TYPE_BYTE,
  TYPES,
  u32,
} from './fuzz-sandbox-operators.js';
import type { Random } from './fuzz-sandbox-random.js';

/*
 * Random valid modules that terminate: every loop and every call uses up fuel. A program is kept as a list of
 * instructions, so that it can be encoded as it is, or with a counter before each instruction: a count that owes
 * nothing to the rewriter.
 */

/** One local of each type follows the parameters, and more vectors. */
export const PARAMETERS: readonly Type[] = ['i32', 'f64'];
export const LOCALS: readonly Type[] = [...PARAMETERS, ...TYPES, 'v128', 'v128'];
/** Two more hold addresses, in bounds and close together, so that accesses overlap. */
export const BASES = [LOCALS.length, LOCALS.length + 1] as const;
export const FUNCTIONS = 4;
/** The one behind them sets the f64 global from its parameter, with no float instruction of its own. */
export const KEEPER = 4;
export const FUEL_GLOBAL = 0;
export const GLOBALS: readonly Type[] = ['i32', 'i64', 'f64', 'f32'];
export const COUNTER_GLOBAL = GLOBALS.length;
export const FUEL = 300;

const KEPT_GLOBAL = 2;

/** A label in scope; all carry nothing. */
interface Scope {
  readonly labels: number;
  readonly depth: number;
}

class FunctionGenerator {
  constructor(
    private readonly random: Random,
    private readonly index: number,
    private readonly withFloats: boolean,
    /** Imported functions, whose indices come first. */
    private readonly imported: number,
  ) {}

  body(): Instruction[] {
    return [
      ...this.#useFuel(),
      ...this.#statements({ labels: 0, depth: 0 }),
      ...this.#expression('i64', 3),
      END,
    ];
  }

  /** Returns at once when the fuel is used up, else takes one. */
  #useFuel(): Instruction[] {
    return [
      op(0x23, FUEL_GLOBAL),
      op(0x45),
      op(0x04, EMPTY),
      op(0x42, 9),
      op(0x0f),
      END,
      op(0x23, FUEL_GLOBAL),
      op(0x41, 1),
      op(0x6b),
      op(0x24, FUEL_GLOBAL),
    ];
  }

  #type(): Type {
    return this.random.pick(this.withFloats ? TYPES : NUMBERS);
  }

  #statements(scope: Scope): Instruction[] {
    return Array.from({ length: 1 + this.random.int(5) }, () => this.#statement(scope)).flat();
  }

  #statement(scope: Scope): Instruction[] {
    const { random } = this;
    const inner = { labels: scope.labels + 1, depth: scope.depth + 1 };
    const kind = scope.depth > 4 ? random.int(6) : random.int(14);
    switch (kind) {
      case 0: {
        const type = this.#type();
        const local = random.pick(LOCALS.flatMap((t, i) => (t === type ? [i] : [])));
        return [...this.#expression(type, 3), op(0x21, local)];
      }
      case 1:
      case 2:
        return this.#storeRun();
      case 3: {
        if (this.withFloats && random.chance(50)) return this.#keepAndStore();
        const global = this.withFloats ? 1 + random.int(GLOBALS.length - 1) : 1;
        return [...this.#expression(GLOBALS[global] ?? 'i64', 2), op(0x24, global)];
      }
      case 4:
        return scope.labels === 0
          ? [free(0x01)]
          : [...this.#expression('i32', 2), op(0x0d, random.int(scope.labels))];
      case 5:
        return this.#moveBase();
      case 13:
        return [free(0x02, EMPTY), ...this.#statements(inner), END];
      case 6:
        return [free(0x03, EMPTY), ...this.#useFuel(), ...this.#statements(inner), END];
      case 7:
        return [...this.#expression('i32', 2), op(0x04, EMPTY), ...this.#statements(inner), END];
      case 8:
        return [
          ...this.#expression('i32', 2),
          op(0x04, EMPTY),
          ...this.#statements(inner),
          free(0x05),
          ...this.#statements(inner),
          END,
        ];
      case 9:
        return [
          free(0x02, EMPTY),
          ...this.#statements(inner),
          op(0x0c, random.int(inner.labels)),
          ...this.#statements(inner),
          END,
        ];
      case 10: {
        const labels = Array.from({ length: 1 + random.int(3) }, () => random.int(inner.labels));
        return [
          free(0x02, EMPTY),
          ...this.#expression('i32', 2),
          op(0x0e, labels.length - 1, ...labels),
          END,
        ];
      }
      case 11:
        return random.chance(30)
          ? [...this.#expression('i32', 2), op(0x04, EMPTY), ...this.#expression('i64', 2), op(0x0f), END]
          : [free(0x01)];
      default:
        return [...this.#call(), op(0x1a)];
    }
  }

  /** Stores beside each other, as compilers write them. */
  #storeRun(): Instruction[] {
    return Array.from({ length: 1 + this.random.int(4) }, () => {
      const type = this.#type();
      return [
        ...this.#address(),
        ...this.#expression(type, 2),
        op(...STORES[type], 0, this.random.int(9) * 4),
      ];
    }).flat();
  }

  /** A value through the keeper's global into the memory; division gives NaNs where nothing else does. */
  #keepAndStore(): Instruction[] {
    return [
      ...this.#expression('f64', 2),
      ...this.#expression('f64', 1),
      op(0xa3),
      op(0x10, this.imported + KEEPER),
      ...this.#address(),
      op(0x23, KEPT_GLOBAL),
      op(...STORES.f64, 0, this.random.int(9) * 4),
    ];
  }

  #moveBase(): Instruction[] {
    return [...this.#expression('i32', 2), op(0x41, 0x3c), op(0x71), op(0x21, this.random.pick(BASES))];
  }

  #address(): Instruction[] {
    const { random } = this;
    if (random.chance(20)) return [...this.#expression('i32', 2), op(0x41, ...u32(0x3f8)), op(0x71)];
    const base = op(0x20, random.pick(BASES));
    return random.chance(50) ? [base] : [base, op(0x41, random.int(16) * 4), op(0x6a)];
  }

  #call(): Instruction[] {
    const callee = this.random.chance(15) ? this.index : this.random.int(this.index + 1);
    return [...this.#expression('i32', 1), ...this.#floatOrZero(), op(0x10, this.imported + callee)];
  }

  #floatOrZero(): Instruction[] {
    return this.withFloats ? this.#expression('f64', 1) : [op(0x44, 0, 0, 0, 0, 0, 0, 0, 0)];
  }

  #expression(type: Type, depth: number): Instruction[] {
    const { random } = this;
    if (depth === 0 || random.chance(25)) return [this.#leaf(type)];
    const choice = random.int(12);
    if (choice === 0) return [...this.#address(), op(...LOADS[type], 0, random.int(5) * 4)];
    if (choice === 1) {
      return [
        ...this.#expression(type, depth - 1),
        ...this.#expression(type, depth - 1),
        ...this.#expression('i32', 1),
        op(0x1b),
      ];
    }
    if (choice === 2) {
      const [then, otherwise] = [this.#expression(type, depth - 1), this.#expression(type, depth - 1)];
      return [
        ...this.#expression('i32', 1),
        op(0x04, TYPE_BYTE[type]),
        ...then,
        free(0x05),
        ...otherwise,
        END,
      ];
    }
    if (choice === 3 && type === 'i64' && depth > 1) return this.#call();
    const operators = OPERATORS[type].filter(
      ([operands]) => this.withFloats || operands.every((t) => NUMBERS.includes(t)),
    );
    const [operands, ...bytes] = random.pick(operators);
    return [...operands.flatMap((operand) => this.#expression(operand, depth - 1)), op(...bytes)];
  }

  #leaf(type: Type): Instruction {
    const { random } = this;
    const locals = LOCALS.flatMap((t, i) => (t === type ? [i] : []));
    if (random.chance(50)) return op(0x20, random.pick(locals));
    const global = GLOBALS.indexOf(type);
    if (global > FUEL_GLOBAL && random.chance(20)) return op(0x23, global);
    const bytes = (count: number) =>
      Array.from({ length: count }, () => random.pick([0, 0, 0x7f, 0x80, 0xff, 0xf0, 0x3f, random.int(256)]));
    switch (type) {
      case 'i32':
        return op(0x41, random.int(64));
      case 'i64':
        return op(0x42, random.int(64));
      case 'f32':
        return op(0x43, ...bytes(4));
      case 'f64':
        return op(0x44, ...bytes(8));
      case 'v128':
        return op(...simd(12), ...bytes(16));
    }
  }
}

/** The bodies of a program, the one to run last but one, the keeper last. */
export function randomFunctions(random: Random, withFloats: boolean, imported: number): Instruction[][] {
  const functions = Array.from({ length: FUNCTIONS }, (_, i) =>
    new FunctionGenerator(random, i, withFloats, imported).body(),
  );
  return [...functions, [op(0x20, 0), op(0x24, KEPT_GLOBAL), END]];
}
