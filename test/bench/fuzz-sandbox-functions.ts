import type { Random } from './fuzz-sandbox-random.js';

/*
 * Random valid modules that terminate: every loop and every call uses up fuel. A program is kept as a list of
 * instructions, so that it can be encoded as it is, or with a counter before each instruction: a count that owes
 * nothing to the rewriter.
 */

export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export interface Instruction {
  readonly bytes: readonly number[];
  /** 1 or 0 by the cost model, for all instructions that are generated. */
  readonly cycles: number;
}

export const TYPE_BYTE: Readonly<Record<Type, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
const TYPES: readonly Type[] = ['i32', 'i64', 'f32', 'f64', 'v128'];
const NUMBERS: readonly Type[] = ['i32', 'i64'];
const EMPTY = 0x40;

/** Opcodes by result; operands in order. */
type Operator = readonly [operands: readonly Type[], ...bytes: number[]];
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const simd = (code: number) => [0xfd, ...(code < 0x80 ? [code] : [(code & 0x7f) | 0x80, code >>> 7])];
/** Lanes of f32, of f64, and of neither as a whole. */
const SHUFFLES = [
  [4, 5, 6, 7, 16, 17, 18, 19, 0, 1, 2, 3, 28, 29, 30, 31],
  [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
  [3, 2, 1, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
];
const OPERATORS: Readonly<Record<Type, readonly Operator[]>> = {
  i32: [
    ...[...range(0x6a, 0x6c), ...range(0x71, 0x78)].map((code): Operator => [['i32', 'i32'], code]),
    ...range(0x46, 0x4f).map((code): Operator => [['i32', 'i32'], code]),
    ...[0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1].map((code): Operator => [['i32'], code]),
    ...range(0x61, 0x66).map((code): Operator => [['f64', 'f64'], code]),
    [['i64'], 0xa7],
    [['f32'], 0xbc],
    [['f64'], 0xaa],
    [['f64'], 0xfc, 0x02],
    [['v128'], ...simd(0x1b), 2],
    [['v128'], ...simd(0x64)],
  ],
  i64: [
    ...[...range(0x7c, 0x7e), ...range(0x83, 0x8a)].map((code): Operator => [['i64', 'i64'], code]),
    [['i32'], 0xac],
    [['f64'], 0xbd],
    [['v128'], ...simd(0x1d), 1],
  ],
  f32: [
    ...range(0x92, 0x98).map((code): Operator => [['f32', 'f32'], code]),
    ...range(0x8b, 0x91).map((code): Operator => [['f32'], code]),
    [['f64'], 0xb6],
    [['i32'], 0xb2],
    [['i32'], 0xbe],
    [['v128'], ...simd(0x1f), 3],
  ],
  f64: [
    ...range(0xa0, 0xa6).map((code): Operator => [['f64', 'f64'], code]),
    ...range(0x99, 0x9f).map((code): Operator => [['f64'], code]),
    [['f32'], 0xbb],
    [['i64'], 0xb9],
    [['i64'], 0xbf],
    [['v128'], ...simd(0x21), 0],
  ],
  v128: [
    ...[
      0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf7, 0xeb, 0xf6, 0x51, 0x4e,
      0x6e, 0xae, 0x41, 0x4b,
    ].map((code): Operator => [['v128', 'v128'], ...simd(code)]),
    ...[0xe3, 0xef, 0xe0, 0xe1, 0xec, 0xed, 0x67, 0x5e, 0x5f, 0xf8, 0xfa].map((code): Operator => [
      ['v128'],
      ...simd(code),
    ]),
    [['f32'], ...simd(0x13)],
    [['f64'], ...simd(0x14)],
    [['i64'], ...simd(0x12)],
    [['v128', 'f64'], ...simd(0x22), 1],
    [['v128', 'f32'], ...simd(0x20), 2],
    ...SHUFFLES.map((lanes): Operator => [['v128', 'v128'], ...simd(0x0d), ...lanes]),
    [['v128', 'v128', 'v128'], ...simd(0x52)],
  ],
};
const LOADS: Readonly<Record<Type, readonly number[]>> = {
  i32: [0x28],
  i64: [0x29],
  f32: [0x2a],
  f64: [0x2b],
  v128: simd(0),
};
const STORES: Readonly<Record<Type, readonly number[]>> = {
  i32: [0x36],
  i64: [0x37],
  f32: [0x38],
  f64: [0x39],
  v128: simd(11),
};

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

const op = (...bytes: number[]): Instruction => ({ bytes, cycles: 1 });
const free = (...bytes: number[]): Instruction => ({ bytes, cycles: 0 });
const END = free(0x0b);

export function u32(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...u32(value >>> 7)];
}

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
