import { ByteReader } from './byte-reader.js';
import { readConstantExpression } from './constant-expression.js';
import { readValueType } from './instruction-buffer.js';
import { ADMISSION_LIMITS, countLimit } from './limits.js';
import { FUNCTION_TYPE_FORM } from './module-format.js';
import { ModuleFault } from './module-fault.js';
import { whyLimits } from './refused-features.js';
import { isReferenceType } from './value-types.js';
import { EXTERNAL_KINDS, type Limits, SECTION, type WasmModule } from './wasm-module.js';

/** Reads the content of one section into the module. */
type SectionReader = (reader: ByteReader, module: WasmModule) => void;

/** By section id: all sections that the profile knows, but custom ones. */
export const SECTION_READERS: ReadonlyMap<number, SectionReader> = new Map<number, SectionReader>([
  [SECTION.type, readTypes],
  [SECTION.import, readImports],
  [SECTION.function, readFunctions],
  [SECTION.table, readTables],
  [SECTION.memory, readMemories],
  [SECTION.global, readGlobals],
  [SECTION.export, readExports],
  [SECTION.start, readStart],
  [SECTION.element, readElements],
  [SECTION.code, readCode],
  [SECTION.data, readData],
  [SECTION.dataCount, (reader, module) => void (module.dataSegments = reader.u32())],
]);

function readTypes(reader: ByteReader, { types }: WasmModule): void {
  let together = 0;
  for (let left = reader.count(countLimit('types')); left > 0; left--) {
    const at = reader.offset;
    const form = reader.u8();
    if (form !== FUNCTION_TYPE_FORM) {
      throw new ModuleFault(
        'unknown-type',
        at,
        `Type form 0x${form.toString(16)} is not admitted (only functions are).`,
      );
    }
    const type = { parameters: readValueTypes(reader), results: readValueTypes(reader) };
    together += type.parameters.length + type.results.length;
    if (together > ADMISSION_LIMITS.parametersAndResultsTogether) {
      throw new ModuleFault('too-large', at, `There are ${together} parametersAndResultsTogether: too many.`);
    }
    types.push(type);
  }
}

function readValueTypes(reader: ByteReader): number[] {
  const types: number[] = [];
  for (let left = reader.count(countLimit('parametersOrResults')); left > 0; left--)
    types.push(readValueType(reader));
  return types;
}

function readExternalKind(reader: ByteReader) {
  const at = reader.offset;
  const byte = reader.u8();
  const kind = EXTERNAL_KINDS[byte];
  if (kind === undefined)
    throw new ModuleFault('unknown-external', at, `External kind ${byte} is not admitted.`);
  return kind;
}

function readImports(reader: ByteReader, module: WasmModule): void {
  for (let left = reader.count(countLimit('imports')); left > 0; left--) {
    const offset = reader.offset;
    const from = { module: reader.name(), name: reader.name() };
    const kind = readExternalKind(reader);
    switch (kind) {
      case 'function':
        module.imports.push({ ...from, kind, offset, index: module.functionTypes.length });
        module.functionTypes.push(readTypeIndex(reader, module));
        module.importedFunctions++;
        break;
      case 'table':
        module.imports.push({ ...from, kind, offset, index: module.tables.length });
        module.tables.push(readTable(reader, true));
        break;
      case 'memory':
        module.imports.push({ ...from, kind, offset, index: module.memories.length });
        module.memories.push({ ...readLimits(reader), imported: true, offset });
        break;
      case 'global':
        module.imports.push({ ...from, kind, offset, index: module.globals.length });
        module.globals.push({
          ...readGlobalType(reader),
          imported: true,
          offset,
          initialiser: { start: 0, end: 0 },
        });
        break;
    }
  }
}

function readTypeIndex(reader: ByteReader, { types }: WasmModule): number {
  const at = reader.offset;
  const index = reader.u32();
  if (index >= types.length) throw new ModuleFault('unknown-type', at, `There is no type ${index}.`);
  return index;
}

function readFunctions(reader: ByteReader, module: WasmModule): void {
  for (let left = reader.count(countLimit('functions')); left > 0; left--)
    module.functionTypes.push(readTypeIndex(reader, module));
}

function readTable(reader: ByteReader, imported: boolean) {
  const offset = reader.offset;
  const type = readValueType(reader);
  if (!isReferenceType(type)) throw new ModuleFault('unknown-type', offset, 'A table holds references only.');
  return { type, ...readLimits(reader), imported, offset };
}

function readTables(reader: ByteReader, { tables }: WasmModule): void {
  for (let left = reader.count(countLimit('tables')); left > 0; left--) tables.push(readTable(reader, false));
}

function readLimits(reader: ByteReader): Limits {
  const at = reader.offset;
  const flags = reader.u8();
  if (flags > 1) {
    throw new ModuleFault(
      'unknown-limits',
      at,
      `Limits with flags 0x${flags.toString(16)} are not admitted${whyLimits(flags)}.`,
    );
  }
  return { min: reader.u32(), max: flags === 1 ? reader.u32() : null };
}

function readMemories(reader: ByteReader, { memories }: WasmModule): void {
  for (let left = reader.count(countLimit('memories')); left > 0; left--) {
    const offset = reader.offset;
    memories.push({ ...readLimits(reader), imported: false, offset });
  }
}

function readGlobalType(reader: ByteReader) {
  const type = readValueType(reader);
  const at = reader.offset;
  const mutability = reader.u8();
  if (mutability > 1) throw new ModuleFault('unknown-type', at, 'A global is neither constant nor variable.');
  return { type, mutable: mutability === 1 };
}

function readGlobals(reader: ByteReader, module: WasmModule): void {
  for (let left = reader.count(countLimit('globals')); left > 0; left--) {
    const offset = reader.offset;
    const type = readGlobalType(reader);
    const start = reader.offset;
    readConstantExpression(reader, module);
    module.globals.push({ ...type, imported: false, offset, initialiser: { start, end: reader.offset } });
  }
}

function readExports(reader: ByteReader, { exports }: WasmModule): void {
  for (let left = reader.count(countLimit('exports')); left > 0; left--) {
    const offset = reader.offset;
    exports.push({ name: reader.name(), kind: readExternalKind(reader), index: reader.u32(), offset });
  }
}

function readStart(reader: ByteReader, module: WasmModule): void {
  const offset = reader.offset;
  module.start = { functionIndex: reader.u32(), offset };
}

/** Checked here, so that a list of functions that do not exist takes no memory. */
function readFunctionIndex(reader: ByteReader, { functionTypes }: WasmModule): number {
  const at = reader.offset;
  const index = reader.u32();
  if (index >= functionTypes.length)
    throw new ModuleFault('unknown-function', at, `There is no function ${index}.`);
  return index;
}

/** Element segments: bit 0 passive or declarative, bit 1 explicit table or declarative, bit 2 expressions. */
function readElements(reader: ByteReader, module: WasmModule): void {
  for (let left = reader.count(countLimit('segments')); left > 0; left--) {
    const at = reader.offset;
    const flags = reader.u32();
    if (flags > 7)
      throw new ModuleFault('unknown-segment', at, `Element segment kind ${flags} is not admitted.`);
    const [active, explicit, expressions] = [(flags & 1) === 0, (flags & 2) !== 0, (flags & 4) !== 0];
    if (active) {
      if (explicit) reader.u32();
      readConstantExpression(reader, module);
    }
    if (!active || explicit) {
      if (expressions) readValueType(reader);
      else reader.skip(1);
    }
    for (let items = reader.count(); items > 0; items--) {
      if (expressions) readConstantExpression(reader, module);
      else module.referencedFunctions.add(readFunctionIndex(reader, module));
    }
    module.elementSegments++;
  }
}

function readCode(reader: ByteReader, module: WasmModule): void {
  for (let left = reader.count(countLimit('functions')); left > 0; left--) {
    const at = reader.offset;
    const size = reader.u32();
    if (size > ADMISSION_LIMITS.functionBytes) {
      throw new ModuleFault('too-large', at, `A function has ${size} functionBytes: too many.`);
    }
    const start = reader.offset;
    reader.skip(size);
    const body = new ByteReader(reader.bytes, start, start + size);
    const locals = [];
    const groupCount = body.count(countLimit('localsPerFunction'));
    module.localGroups += groupCount;
    if (module.localGroups > ADMISSION_LIMITS.localGroupsTogether) {
      throw new ModuleFault(
        'too-large',
        at,
        `There are ${module.localGroups} localGroupsTogether: too many.`,
      );
    }
    for (let groups = groupCount; groups > 0; groups--)
      locals.push({ count: body.u32(), type: readValueType(body) });
    module.bodies.push({ start, end: start + size, locals, code: body.offset });
  }
}

function readData(reader: ByteReader, module: WasmModule): void {
  const segments = reader.count(countLimit('segments'));
  module.dataSegments = segments;
  for (let left = segments; left > 0; left--) {
    const at = reader.offset;
    const flags = reader.u32();
    if (flags > 2)
      throw new ModuleFault('unknown-segment', at, `Data segment kind ${flags} is not admitted.`);
    if (flags === 2 && reader.u32() !== 0)
      throw new ModuleFault('multi-memory', at, 'A data segment names a second memory.');
    if (flags !== 1) readConstantExpression(reader, module);
    reader.skip(reader.u32());
  }
}
