import {
  COUNTER_GLOBAL,
  DATA_BYTES,
  FUEL,
  FUEL_GLOBAL,
  FUNCTION_TYPES,
  FUNCTIONS,
  GLOBALS,
  KEEPER,
  LENGTH,
  LOCALS,
  OTHER_LOCALS,
  PARAMETERS,
  TABLE_SIZE,
} from './fuzz-sandbox-frame.js';
import { randomFunctions } from './fuzz-sandbox-functions.js';
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
  const functions = randomFunctions(random, { withFloats, imported: 0, withTables: true });
  return { plain: encode(functions, { counted: false }), counted: encode(functions, { counted: true }) };
}

/** What a module is for: an app of either kind, or nothing but functions, as the specification's tests have. */
export type Flavour = 'command' | 'stepping' | 'functions';
export const FLAVOURS: readonly Flavour[] = ['command', 'stepping', 'functions'];

/** A module to mutate: apps import from their host, and have an entry point that uses all of it. */
export function randomModule(random: Random, flavour: Flavour): Uint8Array {
  if (flavour === 'functions') return randomProgram(random, { withFloats: true }).plain;
  const traits = { withFloats: true, imported: HOST_FUNCTIONS.length, withTables: flavour === 'command' };
  const functions = randomFunctions(random, traits);
  return encode(functions, { counted: false, entry: flavour });
}

const vector = (items: readonly number[][]): number[] => [...u32(items.length), ...items.flat()];
const sized = (bytes: readonly number[]): number[] => [...u32(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
const textOf = (text: string): number[] => sized([...Buffer.from(text)]);
const exported = (name: string, kind: number, index: number): number[] => [...textOf(name), kind, index];

/** Adds what an instruction is about to cost. */
function countOf({ cycles, unitsPerCycle }: Instruction): number[] {
  if (cycles === 0) return [];
  const rounded = unitsPerCycle === 16 ? [0x42, 15, 0x7c, 0x42, 4, 0x88] : [];
  const length = unitsPerCycle === undefined ? [] : [0x20, LENGTH, 0xad, ...rounded, 0x7c];
  return [0x23, COUNTER_GLOBAL, 0x42, cycles, 0x7c, ...length, 0x24, COUNTER_GLOBAL];
}

const ZERO: Readonly<Record<Type, readonly number[]>> = {
  i32: [0x41, 0],
  i64: [0x42, 0],
  f32: [0x43, 0, 0, 0, 0],
  f64: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  v128: [],
};

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
    [...declared, ...Array<'i32'>(OTHER_LOCALS).fill('i32')].map((type) => [1, TYPE_BYTE[type]]),
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
      ...instructions.flatMap((each) => [...(counted ? countOf(each) : []), ...each.bytes]),
    ]),
  );
  const typeIndices = functions.map((_, i) => [i === KEEPER ? 1 : 0]);
  const imported = entry === undefined ? 0 : HOST_FUNCTIONS.length;
  const exportsOf = [
    exported('run', 0, imported + FUNCTIONS - 1),
    exported('memory', 2, 0),
    ...(counted ? [exported('count', 3, COUNTER_GLOBAL)] : []),
  ];
  if (entry !== undefined) {
    typeIndices.push([ENTRIES[entry].type]);
    bodies.push(sized(entryBody(entry)));
    exportsOf.push(exported(ENTRIES[entry].name, 0, imported + functions.length));
    exportsOf.push(...GLOBALS.map((type, i) => exported(type, 3, i)));
  }
  const data = [
    [1, ...sized(Array.from({ length: DATA_BYTES }, (_, i) => (i * 37) & 0xff))],
    [0, 0x41, 8, 0x0b, ...textOf(`${entry ?? 'some'} data`)],
  ];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, vector(types)),
    ...(entry === undefined ? [] : section(2, vector(HOST_FUNCTIONS.map(importOf)))),
    ...section(3, vector(typeIndices)),
    ...section(4, vector([[0x70, 0, TABLE_SIZE]])),
    ...section(5, vector([[0, 1]])),
    ...section(6, vector(globals)),
    ...section(7, vector(exportsOf)),
    ...section(9, elements(imported)),
    ...section(12, u32(data.length)),
    ...section(10, vector(bodies)),
    ...section(11, vector(data)),
  ]);
}

const importOf = ([from, name, type]: (typeof HOST_FUNCTIONS)[number]): number[] => [
  ...textOf(from),
  ...textOf(name),
  0,
  type,
];

/** All functions and the keeper in the table, and a passive segment of the functions. */
function elements(imported: number): number[] {
  const functions = Array.from({ length: FUNCTIONS }, (_, i) => [imported + i]);
  return vector([
    [0, 0x41, 0, 0x0b, ...vector([...functions, [imported + KEEPER]])],
    [1, 0, ...vector(functions)],
  ]);
}
