import {
  BASES,
  COUNTER_GLOBAL,
  FUEL,
  FUEL_GLOBAL,
  FUNCTIONS,
  GLOBALS,
  KEEPER,
  LOCALS,
  PARAMETERS,
  randomFunctions,
} from './fuzz-sandbox-functions.js';
import { type Instruction, type Type, TYPE_BYTE, u32 } from './fuzz-sandbox-operators.js';
import type { Random } from './fuzz-sandbox-random.js';

export interface RandomProgram {
  /** Exports `run` (i32) → i64 and `memory`. */
  readonly plain: Uint8Array;
  /** The same with an i64 global `count` that every instruction adds to. */
  readonly counted: Uint8Array;
}

/** With `withFloats` results can depend on NaN bits, unless these are canonical. */
export function randomProgram(
  random: Random,
  { withFloats }: { readonly withFloats: boolean },
): RandomProgram {
  const functions = randomFunctions(random, withFloats, 0);
  return { plain: encode(functions, { counted: false }), counted: encode(functions, { counted: true }) };
}

/** What a module is for: an app of either kind, or nothing but functions, as the specification's tests have. */
export type Flavour = 'command' | 'stepping' | 'functions';
export const FLAVOURS: readonly Flavour[] = ['command', 'stepping', 'functions'];

/** A module to mutate: apps import from their host, and have a table, segments and an entry point that uses all of it. */
export function randomModule(random: Random, flavour: Flavour): Uint8Array {
  if (flavour === 'functions') return randomProgram(random, { withFloats: true }).plain;
  const functions = randomFunctions(random, true, HOST_FUNCTIONS.length);
  return encode(functions, { counted: false, entry: flavour });
}

const vector = (items: readonly number[][]): number[] => [...u32(items.length), ...items.flat()];
const sized = (bytes: readonly number[]): number[] => [...u32(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
const exported = (name: string, kind: number, index: number): number[] => [
  ...sized([...Buffer.from(name)]),
  kind,
  index,
];

const COUNT_ONE = [0x23, COUNTER_GLOBAL, 0x42, 1, 0x7c, 0x24, COUNTER_GLOBAL];
const ZERO: Readonly<Record<Type, readonly number[]>> = {
  i32: [0x41, 0],
  i64: [0x42, 0],
  f32: [0x43, 0, 0, 0, 0],
  f64: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  v128: [],
};

/** Types by index: of the functions, the keeper, the two entry points, and the imports. */
const FUNCTION_TYPES: ReadonlyArray<readonly [parameters: readonly Type[], results: readonly Type[]]> = [
  [PARAMETERS, ['i64']],
  [['f64'], []],
  [[], []],
  [[], ['i32']],
  [['i32', 'i32', 'i32', 'i32'], ['i32']],
  [['i32'], []],
  [['i32', 'i64', 'i32'], ['i32']],
];
const HOST_FUNCTIONS: ReadonlyArray<readonly [module: string, name: string, type: number]> = [
  ['wasi_snapshot_preview1', 'fd_write', 4],
  ['wasi_snapshot_preview1', 'clock_time_get', 6],
  ['wasi_snapshot_preview1', 'proc_exit', 5],
  ['gleaner', 'progress', 5],
];
const ENTRIES = {
  command: { name: '_start', type: 2 },
  stepping: { name: 'gleaner_step', type: 3 },
} as const;

/** Calls a function through the table, and each host function. */
function entryBody(entry: keyof typeof ENTRIES): number[] {
  const throughTable = [0x41, 5, ...ZERO.f64, 0x41, 1, 0x11, 0, 0, 0x1a];
  const write = [0x41, 1, 0x41, 0, 0x41, 1, 0x41, 32, 0x10, 0, 0x1a];
  const readClock = [0x41, 0, 0x42, 0, 0x41, 32, 0x10, 1, 0x1a];
  const tellProgress = [0x41, 7, 0x10, 3];
  const calls = [...throughTable, ...write, ...readClock, ...tellProgress];
  const end = entry === 'command' ? [0x41, 0, 0x10, 2] : [0x41, 0];
  return [0, ...calls, ...end, 0x0b];
}

const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

interface Encoding {
  readonly counted: boolean;
  /** The entry point of an app; absent for mere functions. */
  readonly entry?: keyof typeof ENTRIES;
}

function encode(functions: ReadonlyArray<readonly Instruction[]>, { counted, entry }: Encoding): Uint8Array {
  const types = FUNCTION_TYPES.map(([parameters, results]) => [
    0x60,
    ...vector(parameters.map((type) => [TYPE_BYTE[type]])),
    ...vector(results.map((type) => [TYPE_BYTE[type]])),
  ]);
  const declared = LOCALS.slice(PARAMETERS.length);
  const locals = vector(
    [...declared, ...BASES.map(() => 'i32' as const)].map((type) => [1, TYPE_BYTE[type]]),
  );
  const globals = GLOBALS.map((type, i) => [
    TYPE_BYTE[type],
    1,
    ...(i === FUEL_GLOBAL ? [0x41, ...u32(FUEL)] : ZERO[type]),
    0x0b,
  ]);
  if (counted) globals.push([TYPE_BYTE.i64, 1, 0x42, 0, 0x0b]);
  const bodies = functions.map((instructions, i) =>
    sized([
      ...(i === KEEPER ? [0] : locals),
      ...instructions.flatMap(({ bytes, cycles }) =>
        counted && cycles > 0 ? [...COUNT_ONE, ...bytes] : [...bytes],
      ),
    ]),
  );
  const typeIndices = functions.map((_, i) => [i === KEEPER ? 1 : 0]);
  const imported = entry === undefined ? 0 : HOST_FUNCTIONS.length;
  const exportsOf = [
    exported('run', 0, imported + FUNCTIONS - 1),
    exported('memory', 2, 0),
    ...(counted ? [exported('count', 3, COUNTER_GLOBAL)] : []),
  ];
  const app = entry === undefined ? null : appSections(entry, imported);
  if (entry !== undefined) {
    typeIndices.push([ENTRIES[entry].type]);
    bodies.push(sized(entryBody(entry)));
    exportsOf.push(exported(ENTRIES[entry].name, 0, imported + functions.length));
    exportsOf.push(...GLOBALS.map((type, i) => exported(type, 3, i)));
  }
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, vector(types)),
    ...(app?.imports ?? []),
    ...section(3, vector(typeIndices)),
    ...(app?.table ?? []),
    ...section(5, vector([[0, 1]])),
    ...section(6, vector(globals)),
    ...section(7, vector(exportsOf)),
    ...(app?.elements ?? []),
    ...section(10, vector(bodies)),
    ...(app?.data ?? []),
  ]);
}

function appSections(entry: keyof typeof ENTRIES, imported: number) {
  const text = (name: string) => sized([...Buffer.from(name)]);
  const functions = Array.from({ length: FUNCTIONS }, (_, i) => [imported + i]);
  return {
    imports: section(
      2,
      vector(HOST_FUNCTIONS.map(([from, name, type]) => [...text(from), ...text(name), 0, type])),
    ),
    table: section(4, vector([[0x70, 0, FUNCTIONS]])),
    elements: section(9, vector([[0, 0x41, 0, 0x0b, ...vector(functions)]])),
    data: section(11, vector([[0, 0x41, 8, 0x0b, ...text(`${entry} data`)]])),
  };
}
