import type { Value } from './script.js';

/*
 * JavaScript can neither hold a NaN's payload in a number nor a vector at all. Functions and globals under test are
 * therefore called by a small module, made for each signature, that takes operands from its memory and leaves
 * results there. References travel as parameters and results.
 */

export type TypeName = Value['type'];

const TYPE_BYTES: Readonly<Record<TypeName, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
};
const LOADS: Readonly<Record<string, readonly number[]>> = {
  i32: [0x28],
  i64: [0x29],
  f32: [0x2a],
  f64: [0x2b],
  v128: [0xfd, 0x00],
};
const STORES: Readonly<Record<string, readonly number[]>> = {
  i32: [0x36],
  i64: [0x37],
  f32: [0x38],
  f64: [0x39],
  v128: [0xfd, 0x0b],
};

/** Bytes between two operands, or two results, in the bridge's memory. */
export const SLOT_BYTES = 16;

const isReference = (type: TypeName) => type === 'externref' || type === 'funcref';

function u32(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...u32(value >>> 7)];
}

/** Signed LEB128 of a number that is not negative. */
function s32(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...s32(value >>> 7)];
}

const vector = (items: readonly number[][]): number[] => [...u32(items.length), ...items.flat()];
const sized = (bytes: readonly number[]): number[] => [...u32(bytes.length), ...bytes];
const text = (name: string): number[] => sized([...new TextEncoder().encode(name)]);
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
const functionType = (parameters: readonly TypeName[], results: readonly TypeName[]): number[] => [
  0x60,
  ...vector(parameters.map((type) => [TYPE_BYTES[type]])),
  ...vector(results.map((type) => [TYPE_BYTES[type]])),
];

function store(type: TypeName, slot: number, local: number): number[] {
  return [0x41, ...s32(slot * SLOT_BYTES), 0x20, ...u32(local), ...(STORES[type] ?? []), 0, 0];
}

const moduleBytes = (sections: readonly number[][]) =>
  Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
const exportsSection = section(
  7,
  vector([
    [...text('run'), 0, 1],
    [...text('memory'), 2, 0],
  ]),
);

/** A module whose `run` calls the imported function. */
export function callBridge(
  parameters: readonly TypeName[],
  results: readonly TypeName[],
): WebAssembly.Module {
  const referenceParameters = parameters.filter(isReference);
  const firstResult = referenceParameters.length;
  let nextReference = 0;
  const pushes = parameters.flatMap((type, slot) =>
    isReference(type)
      ? [0x20, ...u32(nextReference++)]
      : [0x41, ...s32(slot * SLOT_BYTES), ...(LOADS[type] ?? []), 0, 0],
  );
  const takes = results.flatMap((_, i) => [0x21, ...u32(firstResult + results.length - 1 - i)]);
  const leaves = results.flatMap((type, i) =>
    isReference(type) ? [0x20, ...u32(firstResult + i)] : store(type, i, firstResult + i),
  );
  const locals = vector(results.map((type) => [1, TYPE_BYTES[type]]));
  const body = [...locals, ...pushes, 0x10, 0, ...takes, ...leaves, 0x0b];
  return new WebAssembly.Module(
    moduleBytes([
      section(
        1,
        vector([
          functionType(parameters, results),
          functionType(referenceParameters, results.filter(isReference)),
        ]),
      ),
      section(2, vector([[...text('it'), ...text('it'), 0, 0]])),
      section(3, vector([[1]])),
      section(5, vector([[0, 1]])),
      exportsSection,
      section(10, vector([sized(body)])),
    ]),
  );
}

/** A module whose `run` reads the imported global. Function 0 is there so that `run` has the same index as above. */
export function globalBridge(type: TypeName, mutable: boolean): WebAssembly.Module {
  const body = isReference(type)
    ? [0, 0x23, 0, 0x0b]
    : [1, 1, TYPE_BYTES[type], 0x23, 0, 0x21, 0, ...store(type, 0, 0), 0x0b];
  return new WebAssembly.Module(
    moduleBytes([
      section(1, vector([functionType([], []), functionType([], isReference(type) ? [type] : [])])),
      section(2, vector([[...text('it'), ...text('it'), 3, TYPE_BYTES[type], mutable ? 1 : 0]])),
      section(3, vector([[0], [1]])),
      section(5, vector([[0, 1]])),
      exportsSection,
      section(10, vector([sized([0, 0x0b]), sized(body)])),
    ]),
  );
}
