import { ModuleFault } from '../binary/module-fault.js';
import { VALUE_TYPE, isFloatOrVector, isReferenceType, valueTypeName } from '../binary/value-types.js';
import type { FunctionType, Import, WasmModule } from '../binary/wasm-module.js';
import { HOST_IMPORTS } from './host-imports.js';
import { ADMISSION_LIMITS } from './limits.js';
import type { Profile } from './options.js';

const RESERVED_PREFIX = '__gleaner_';
const TEST_SUITE_MODULE = 'spectest';
const LETTERS: Readonly<Record<string, string>> = { i32: 'i', i64: 'l', f32: 'f', f64: 'd', v128: 'v' };

/** The signatures of exports that the runner calls. */
const ENTRY_POINTS: Readonly<Record<string, string>> = { _start: '>', gleaner_step: '>i', _initialize: '>' };

/** Checks the module's sections against the profile; bodies follow in the scan. Throws ModuleFault. */
export function validateProfile(module: WasmModule, profile: Profile): void {
  checkSizes(module);
  for (const entry of module.imports) checkImport(module, entry, profile);
  for (const { name, offset } of module.exports) {
    if (name.startsWith(RESERVED_PREFIX)) {
      throw new ModuleFault(
        'reserved-name',
        offset,
        `The export ${name} uses the reserved prefix ${RESERVED_PREFIX}.`,
      );
    }
  }
  const [, second] = module.memories;
  if (second !== undefined)
    throw new ModuleFault('multi-memory', second.offset, 'The module has more than one memory.');
  if (profile === 'app') {
    if (module.memories.length === 0)
      throw new ModuleFault('missing-memory', null, 'The module has no memory of its own.');
    checkEntryPoints(module);
    if (isStepping(module)) checkSnapshotGlobals(module);
  }
}

/** Whether the module is a stepping app, whose state between steps is snapshotted. */
export function isStepping(module: WasmModule): boolean {
  return module.exports.some(({ name, kind }) => name === 'gleaner_step' && kind === 'function');
}

function checkSizes(module: WasmModule): void {
  const sizes: ReadonlyArray<readonly [what: keyof typeof ADMISSION_LIMITS, actual: number]> = [
    ['types', module.types.length],
    ['functions', module.functionTypes.length],
    ['imports', module.imports.length],
    ['exports', module.exports.length],
    ['globals', module.globals.length],
    ['tables', module.tables.length],
    ['tableEntries', module.tables.reduce((sum, { min }) => sum + min, 0)],
    ['segments', module.elementSegments + module.dataSegments],
    ['parametersOrResults', widestSignature(module.types)],
  ];
  for (const [what, actual] of sizes) {
    const limit = ADMISSION_LIMITS[what];
    if (actual > limit)
      throw new ModuleFault('too-large', null, `The module has ${actual} ${what}; the limit is ${limit}.`);
  }
}

function widestSignature(types: readonly FunctionType[]): number {
  return types.reduce(
    (widest, { parameters, results }) => Math.max(widest, parameters.length, results.length),
    0,
  );
}

function checkImport(module: WasmModule, entry: Import, profile: Profile): void {
  if (profile === 'conformance' && entry.module === TEST_SUITE_MODULE) return;
  const { offset } = entry;
  const label = `${entry.module}.${entry.name}`;
  const functions = Object.hasOwn(HOST_IMPORTS, entry.module) ? HOST_IMPORTS[entry.module] : undefined;
  if (functions === undefined) {
    throw new ModuleFault(
      'import-module',
      offset,
      `${label}: imports come from wasi_snapshot_preview1 or gleaner only.`,
    );
  }
  if (entry.kind !== 'function') {
    throw new ModuleFault(
      'import-kind',
      offset,
      `${label} is a ${entry.kind}: only functions may be imported.`,
    );
  }
  const type = functionType(module, entry.index);
  if ([...type.parameters, ...type.results].some(isFloatOrVector)) {
    throw new ModuleFault('float-import', offset, `${label} has a float or vector in its signature.`);
  }
  const expected = Object.hasOwn(functions, entry.name) ? functions[entry.name] : undefined;
  if (expected === undefined) throw new ModuleFault('unknown-import', offset, `${label} does not exist.`);
  if (signatureOf(type) !== expected) {
    throw new ModuleFault(
      'import-signature',
      offset,
      `${label} has the signature ${signatureOf(type)}, not ${expected}.`,
    );
  }
}

/** The type of a function by its index. Throws ModuleFault for an index that does not exist. */
export function functionType(module: WasmModule, functionIndex: number): FunctionType {
  const type = module.types[module.functionTypes[functionIndex] ?? -1];
  if (type === undefined)
    throw new ModuleFault('unknown-function', null, `There is no function ${functionIndex}.`);
  return type;
}

function signatureOf({ parameters, results }: FunctionType): string {
  const letters = (types: readonly number[]) =>
    types.map((type) => LETTERS[valueTypeName(type) ?? ''] ?? 'r').join('');
  return `${letters(parameters)}>${letters(results)}`;
}

function checkEntryPoints(module: WasmModule): void {
  const entries = module.exports.filter(
    ({ name, kind }) => kind === 'function' && Object.hasOwn(ENTRY_POINTS, name),
  );
  const names = entries.map(({ name }) => name);
  if (!names.includes('_start') && !names.includes('gleaner_step')) {
    throw new ModuleFault(
      'missing-entry',
      null,
      'The module exports neither the function _start nor gleaner_step.',
    );
  }
  if (names.includes('_start') && names.includes('gleaner_step')) {
    throw new ModuleFault(
      'ambiguous-entry',
      null,
      'The module exports both _start and gleaner_step: export one of them.',
    );
  }
  for (const { name, index, offset } of entries) {
    const signature = signatureOf(functionType(module, index));
    if (signature !== ENTRY_POINTS[name]) {
      throw new ModuleFault(
        'entry-signature',
        offset,
        `${name} has the signature ${signature}, not ${ENTRY_POINTS[name]}.`,
      );
    }
  }
}

/** A snapshot carries globals through JavaScript, which cannot hold vectors, references, or a NaN's payload. */
function checkSnapshotGlobals({ bytes, globals }: WasmModule): void {
  for (const { type, mutable, offset, initialiser } of globals) {
    if (!mutable) continue;
    if (type === VALUE_TYPE.v128 || isReferenceType(type)) {
      throw new ModuleFault(
        'snapshot-global',
        offset,
        'A stepping app cannot have a variable vector or reference global.',
      );
    }
    if (type === VALUE_TYPE.f32 || type === VALUE_TYPE.f64) {
      if (isFloatConstantNaN(bytes, initialiser.start, type)) {
        throw new ModuleFault(
          'snapshot-global',
          offset,
          'A stepping app cannot initialise a variable global with NaN.',
        );
      }
    }
  }
}

function isFloatConstantNaN(bytes: Uint8Array, start: number, type: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start + 1);
  return Number.isNaN(type === VALUE_TYPE.f32 ? view.getFloat32(0, true) : view.getFloat64(0, true));
}
