import { EMPTY, END, type Instruction, op, type Type, TYPES } from './fuzz-sandbox-operators.js';
import type { Random } from './fuzz-sandbox-random.js';

/*
 * What every function of a random program finds: its locals, the module's functions, globals, types, table and segments.
 */

/** One local of each type follows the parameters, and more vectors. */
export const PARAMETERS: readonly Type[] = ['i32', 'f64'];
export const LOCALS: readonly Type[] = [...PARAMETERS, ...TYPES, 'v128', 'v128'];
/** Two more hold addresses, in bounds and close together, so that accesses overlap. */
export const BASES = [LOCALS.length, LOCALS.length + 1] as const;
/** And one the length of the next bulk operation: bytes, or elements of the table. */
export const LENGTH = LOCALS.length + BASES.length;
/** The i32 locals after {@link LOCALS}. */
export const OTHER_LOCALS = BASES.length + 1;

export const FUNCTIONS = 4;
/** The one behind them sets the f64 global from its parameter, with no float instruction of its own. */
export const KEEPER = 4;
export const FUEL_GLOBAL = 0;
export const GLOBALS: readonly Type[] = ['i32', 'i64', 'f64', 'f32'];
export const COUNTER_GLOBAL = GLOBALS.length;
export const KEPT_GLOBAL = 2;
export const FUEL = 300;

/** Two entries more than functions: the keeper, which is of another type, and nothing. */
export const TABLE_SIZE = FUNCTIONS + 2;
/** A passive segment of that many bytes, and one of all functions. */
export const DATA_SEGMENT = 0;
export const DATA_BYTES = 128;
export const ELEMENT_SEGMENT = 1;

/** Types by index: of the functions, the keeper, the two entry points, and the imports. */
export const FUNCTION_TYPES: ReadonlyArray<readonly [parameters: readonly Type[], results: readonly Type[]]> =
  [
    [PARAMETERS, ['i64']],
    [['f64'], []],
    [[], []],
    [[], ['i32']],
    [['i32', 'i32', 'i32', 'i32'], ['i32']],
    [['i32'], []],
    [['i32', 'i64', 'i32'], ['i32']],
    // Of blocks that pass a value, that store one, and that have two.
    ...TYPES.map((type) => [[type], [type]] as const),
    ...TYPES.map((type) => [['i32', type], []] as const),
    [[], ['i64', 'i32']],
  ];
export const FUNCTION_TYPE = 0;
/** The type of a block that takes a value of this type and has another. */
export const passingType = (type: Type): number => 7 + TYPES.indexOf(type);
/** The type of a block that takes an address and a value of this type. */
export const storingType = (type: Type): number => passingType(type) + TYPES.length;
export const PAIR_TYPE = FUNCTION_TYPES.length - 1;

/** Returns at once when the fuel is used up, else takes one. */
export const USE_FUEL: readonly Instruction[] = [
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

export interface Traits {
  readonly withFloats: boolean;
  /** Imported functions, whose indices come first. */
  readonly imported: number;
  /** Sets the table, and drops segments: stepping apps may not. */
  readonly withTables: boolean;
}

/** What is around an instruction. */
export interface Scope {
  /** What each label in scope carries, the innermost first. */
  readonly labels: ReadonlyArray<readonly Type[]>;
  readonly depth: number;
}

const NOTHING_CARRIED: readonly Type[] = [];
export const within = (scope: Scope, carried = NOTHING_CARRIED): Scope => ({
  labels: [carried, ...scope.labels],
  depth: scope.depth + 1,
});

/** What the larger parts of a function are made of. */
export interface Parts {
  readonly random: Random;
  readonly traits: Traits;
  /** Up to `most` statements. */
  statements(scope: Scope, most?: number): Instruction[];
  /** Leaves a value of that type. */
  expression(type: Type, depth: number, scope: Scope): Instruction[];
  condition(scope: Scope): Instruction[];
  /** Leaves one in bounds. */
  address(scope: Scope): Instruction[];
  /** One of that type, by its index. */
  local(type: Type): number;
}
