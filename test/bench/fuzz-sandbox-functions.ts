import { branchByTable, branchIf, carried, passing, storingBlock } from './fuzz-sandbox-blocks.js';
import { bulkMemory, changeTable, entry, masked } from './fuzz-sandbox-bulk.js';
import {
  BASES,
  FUEL_GLOBAL,
  FUNCTION_TYPE,
  FUNCTIONS,
  GLOBALS,
  KEEPER,
  KEPT_GLOBAL,
  LOCALS,
  type Parts,
  type Scope,
  type Traits,
  USE_FUEL,
  within,
} from './fuzz-sandbox-frame.js';
import {
  DROP,
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
 * Random valid functions that terminate: every loop and every call uses up fuel. A function is kept as a list of
 * instructions, so that it can be encoded as it is, or with a counter before each instruction: a count that owes
 * nothing to the rewriter.
 */

/** Deeper than that, no statement has others within. */
const STATEMENT_DEPTH_MAX = 4;
/** Deeper than that, no expression has statements within. */
const BLOCK_DEPTH_MAX = 3;

class FunctionGenerator implements Parts {
  constructor(
    readonly random: Random,
    private readonly index: number,
    readonly traits: Traits,
  ) {}

  body(): Instruction[] {
    const scope = { labels: [], depth: 0 };
    return [...USE_FUEL, ...this.statements(scope), ...this.expression('i64', 3, scope), END];
  }

  #type(): Type {
    return this.random.pick(this.traits.withFloats ? TYPES : NUMBERS);
  }

  local(type: Type): number {
    return this.random.pick(LOCALS.flatMap((t, i) => (t === type ? [i] : [])));
  }

  statements(scope: Scope, most = 5): Instruction[] {
    return Array.from({ length: 1 + this.random.int(most) }, () => this.#statement(scope)).flat();
  }

  #statement(scope: Scope): Instruction[] {
    const { random } = this;
    const kind = scope.depth > STATEMENT_DEPTH_MAX ? random.int(8) : random.int(18);
    switch (kind) {
      case 0: {
        const type = this.#type();
        return [...this.expression(type, 3, scope), op(0x21, this.local(type))];
      }
      case 1:
      case 2:
        return this.#storeRun(scope);
      case 3:
        return this.#setGlobal(scope);
      case 4:
        return branchIf(this, scope);
      case 5:
        return this.#moveBase(scope);
      case 6:
        return bulkMemory(this, scope);
      case 7:
        return this.traits.withTables && random.chance(50) ? changeTable(this, scope) : [free(0x01)];
      case 8: {
        const type = this.#type();
        return random.chance(50) ? storingBlock(this, type, scope) : [...passing(this, type, scope), DROP];
      }
      case 9:
        return random.chance(40)
          ? [
              ...this.condition(scope),
              op(0x04, EMPTY),
              ...this.expression('i64', 2, within(scope)),
              op(0x0f),
              END,
            ]
          : [free(0x01)];
      case 10:
        return [...this.#call(scope), DROP];
      default:
        return this.#structured(kind, scope);
    }
  }

  /** Blocks, loops and conditions that neither take nor have values. */
  #structured(kind: number, scope: Scope): Instruction[] {
    const { random } = this;
    const inner = within(scope);
    switch (kind) {
      case 11:
        return [free(0x02, EMPTY), ...this.statements(inner), END];
      case 12:
        return [free(0x03, EMPTY), ...USE_FUEL, ...this.statements(inner), END];
      case 13:
        return [...this.condition(scope), op(0x04, EMPTY), ...this.statements(inner), END];
      case 14:
      case 15:
        return [
          ...this.condition(scope),
          op(0x04, EMPTY),
          ...this.statements(inner),
          free(0x05),
          ...this.statements(inner),
          END,
        ];
      case 16: {
        const label = random.int(inner.labels.length);
        return [
          free(0x02, EMPTY),
          ...this.statements(inner),
          ...carried(this, label, inner),
          op(0x0c, label),
          ...this.statements(inner),
          END,
        ];
      }
      default:
        return [free(0x02, EMPTY), ...branchByTable(this, inner), END];
    }
  }

  condition(scope: Scope): Instruction[] {
    return this.expression('i32', 2, scope);
  }

  /** Stores beside each other, as compilers write them. */
  #storeRun(scope: Scope): Instruction[] {
    return Array.from({ length: 1 + this.random.int(4) }, () => {
      const type = this.#type();
      const store = op(...STORES[type], 0, this.random.int(9) * 4);
      return [...this.address(scope), ...this.expression(type, 2, scope), store];
    }).flat();
  }

  #setGlobal(scope: Scope): Instruction[] {
    const { random, traits } = this;
    if (traits.withFloats && random.chance(50)) return this.#keepAndStore(scope);
    const global = traits.withFloats ? 1 + random.int(GLOBALS.length - 1) : 1;
    return [...this.expression(GLOBALS[global] ?? 'i64', 2, scope), op(0x24, global)];
  }

  /** A value through the keeper's global into the memory; division gives NaNs where nothing else does. */
  #keepAndStore(scope: Scope): Instruction[] {
    return [
      ...this.expression('f64', 2, scope),
      ...this.expression('f64', 1, scope),
      op(0xa3),
      op(0x10, this.traits.imported + KEEPER),
      ...this.address(scope),
      op(0x23, KEPT_GLOBAL),
      op(...STORES.f64, 0, this.random.int(9) * 4),
    ];
  }

  #moveBase(scope: Scope): Instruction[] {
    return [...masked(this, 0x3c, scope), op(0x21, this.random.pick(BASES))];
  }

  address(scope: Scope): Instruction[] {
    const { random } = this;
    if (random.chance(20)) return [...this.expression('i32', 2, scope), op(0x41, ...u32(0x3f8)), op(0x71)];
    const base = op(0x20, random.pick(BASES));
    return random.chance(50) ? [base] : [base, op(0x41, random.int(16) * 4), op(0x6a)];
  }

  #call(scope: Scope): Instruction[] {
    const { random, traits } = this;
    const values = [...this.expression('i32', 1, scope), ...this.#floatOrZero(scope)];
    if (random.chance(20)) return [...values, ...entry(this, scope), op(0x11, FUNCTION_TYPE, 0)];
    const callee = random.chance(15) ? this.index : random.int(this.index + 1);
    return [...values, op(0x10, traits.imported + callee)];
  }

  #floatOrZero(scope: Scope): Instruction[] {
    return this.traits.withFloats ? this.expression('f64', 1, scope) : [op(0x44, 0, 0, 0, 0, 0, 0, 0, 0)];
  }

  expression(type: Type, depth: number, scope: Scope): Instruction[] {
    const { random, traits } = this;
    if (depth === 0 || random.chance(25)) return [this.#leaf(type)];
    const choice = random.int(12);
    if (choice === 0) return [...this.address(scope), op(...LOADS[type], 0, random.int(5) * 4)];
    if (choice === 1) {
      return [
        ...this.expression(type, depth - 1, scope),
        ...this.expression(type, depth - 1, scope),
        ...this.expression('i32', 1, scope),
        op(0x1b),
      ];
    }
    if (choice === 2) {
      const inner = within(scope, [type]);
      return [
        ...this.expression('i32', 1, scope),
        op(0x04, TYPE_BYTE[type]),
        ...this.expression(type, depth - 1, inner),
        free(0x05),
        ...this.expression(type, depth - 1, inner),
        END,
      ];
    }
    if (choice === 3 && type === 'i64' && depth > 1) return this.#call(scope);
    if (choice === 4 && scope.depth <= BLOCK_DEPTH_MAX && random.chance(30))
      return passing(this, type, scope);
    const operators = OPERATORS[type].filter(
      ([operands]) => traits.withFloats || operands.every((t) => NUMBERS.includes(t)),
    );
    const [operands, ...bytes] = random.pick(operators);
    return [...operands.flatMap((operand) => this.expression(operand, depth - 1, scope)), op(...bytes)];
  }

  #leaf(type: Type): Instruction {
    const { random } = this;
    if (random.chance(50)) return op(0x20, this.local(type));
    const global = GLOBALS.indexOf(type);
    if (global > FUEL_GLOBAL && random.chance(20)) return op(0x23, global);
    const bytes = (count: number) =>
      Array.from({ length: count }, () => random.pick([0, 0, 0x7f, 0x80, 0xff, 0xf0, 0x3f, random.int(256)]));
    switch (type) {
      case 'i32':
        return this.#integer();
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

  /** A constant, or now and then the size of the memory or of the table. */
  #integer(): Instruction {
    const { random } = this;
    if (random.chance(90)) return op(0x41, random.int(64));
    return random.chance(50) ? op(0x3f, 0) : op(0xfc, 16, 0);
  }
}

/** The bodies of a program, the one to run last but one, the keeper last. */
export function randomFunctions(random: Random, traits: Traits): Instruction[][] {
  const functions = Array.from({ length: FUNCTIONS }, (_, i) =>
    new FunctionGenerator(random, i, traits).body(),
  );
  return [...functions, [op(0x20, 0), op(0x24, KEPT_GLOBAL), END]];
}
