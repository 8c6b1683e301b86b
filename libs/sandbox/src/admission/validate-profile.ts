import { ModuleFault } from '../binary/module-fault.js';
import { shownText } from '../binary/shown-text.js';
import { opcode } from '../binary/opcodes.js';
import { VALUE_TYPE, isFloatOrVector, isReferenceType, valueTypeName } from '../binary/value-types.js';
import type { FunctionType, Import, WasmModule } from '../binary/wasm-module.js';
import { HOST_IMPORTS } from './host-imports.js';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import type { Profile } from './options.js';

const F32_CONST = opcode('f32.const');
const F64_CONST = opcode('f64.const');
const RESERVED_PREFIX = '__gleaner_';
const LETTERS: Readonly<Record<string, string>> = { i32: 'i', i64: 'l', f32: 'f', f64: 'd', v128: 'v' };

/** The signatures of exports that the runner calls. */
const ENTRY_POINTS: Readonly<Record<string, string>> = { _start: '>', gleaner_step: '>i', _initialize: '>' };

/** Checks the module's sections against the profile; bodies follow in the scan. Throws ModuleFault. */
export function validateProfile(module: WasmModule, profile: Profile): void {
  checkTableEntries(module);
  for (const entry of module.imports) checkImport(module, entry, profile);
  for (const { name, offset } of module.exports) {
    if (name.startsWith(RESERVED_PREFIX)) {
      throw new ModuleFault(
        'reserved-name',
        offset,
        `The export ${shownText(name)} uses the reserved prefix ${RESERVED_PREFIX}.`,
      );
    }
  }
  const [, second] = module.memories;
  if (second !== undefined)
    throw new ModuleFault('multi-memory', second.offset, 'The module has more than one memory.');
  if (profile === 'app') {
    if (module.memories.length === 0)
      throw new ModuleFault(
        'missing-memory',
        null,
        'The module has no memory of its own: link without --import-memory.',
      );
    checkEntryPoints(module);
    if (isStepping(module)) checkSnapshotGlobals(module);
  }
}

/** Whether the module is a stepping app, whose state between steps is snapshotted. */
export function isStepping(module: WasmModule): boolean {
  return module.exports.some(({ name, kind }) => name === 'gleaner_step' && kind === 'function');
}

function checkTableEntries({ tables }: WasmModule): void {
  let entries = 0;
  for (const { min, offset } of tables) {
    entries += min;
    if (entries > ADMISSION_LIMITS.tableEntries) {
      const limit = ADMISSION_LIMITS.tableEntries;
      throw new ModuleFault('too-large', offset, `There are ${entries} tableEntries; the limit is ${limit}.`);
    }
  }
}

function checkImport(module: WasmModule, entry: Import, profile: Profile): void {
  const { offset } = entry;
  const label = `${shownText(entry.module)}.${shownText(entry.name)}`;
  const isOfHost = Object.hasOwn(HOST_IMPORTS, entry.module);
  if (profile === 'conformance' && !isOfHost) return;
  const functions = isOfHost ? HOST_IMPORTS[entry.module] : undefined;
  if (functions === undefined) {
    throw new ModuleFault(
      'import-module',
      offset,
      `${label}: imports come from wasi_snapshot_preview1 or gleaner only. ${importAdvice(entry)}`,
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

/** What compilers import by default or by mistake, and how to build without it. */
function importAdvice({ module, name, kind }: Import): string {
  if (kind === 'memory') return 'Link without --import-memory.';
  if (kind === 'table') return 'Link without --import-table.';
  if (module === 'wasi_unstable') return 'Build with a WASI SDK for preview 1.';
  if (module === 'env' && ['abort', 'seed', 'trace'].includes(name))
    return 'AssemblyScript imports it by default: build with gleaner-build-app, or asc --use.';
  return 'Link what defines it into the module, or do without it.';
}

/** The type of a function by its index. Throws ModuleFault with the offset for an index that does not exist. */
export function functionType(
  module: WasmModule,
  functionIndex: number,
  offset: number | null = null,
): FunctionType {
  const type = module.types[module.functionTypes[functionIndex] ?? -1];
  if (type === undefined)
    throw new ModuleFault('unknown-function', offset, `There is no function ${functionIndex}.`);
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
      'The module exports neither the function _start nor gleaner_step: build a command (in C without -mexec-model=reactor), or export gleaner_step.',
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
    const signature = signatureOf(functionType(module, index, offset));
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
    if (isConstantNaN(bytes.subarray(initialiser.start, initialiser.end))) {
      throw new ModuleFault(
        'snapshot-global',
        offset,
        'A stepping app cannot initialise a variable global with NaN.',
      );
    }
  }
}

/** Whether an initialiser is the constant NaN; what is not whole, or of another type, is refused by validation. */
function isConstantNaN(initialiser: Uint8Array): boolean {
  const view = new DataView(initialiser.buffer, initialiser.byteOffset, initialiser.length);
  const [code] = initialiser;
  if (code === F32_CONST) return initialiser.length > 4 && Number.isNaN(view.getFloat32(1, true));
  if (code === F64_CONST) return initialiser.length > 8 && Number.isNaN(view.getFloat64(1, true));
  return false;
}
