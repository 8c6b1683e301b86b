import { ByteReader } from './byte-reader.js';
import { ADMISSION_LIMITS } from './limits.js';
import { MAGIC_AND_VERSION } from './module-format.js';
import { ModuleFault } from './module-fault.js';
import { whySection } from './refused-features.js';
import { SECTION_READERS } from './section-readers.js';
import { emptyModule, SECTION, type WasmModule } from './wasm-module.js';

/**
 * Reads the sections of a module in one pass, allowing only what the profile knows. Function bodies are delimited, not
 * decoded. Throws {@link ModuleFault} at the first byte that is not admitted; any byte sequence is safe to pass.
 */
export function parseModule(bytes: Uint8Array): WasmModule {
  const module = emptyModule(bytes);
  const reader = new ByteReader(bytes);
  for (const byte of MAGIC_AND_VERSION) {
    const at = reader.offset;
    if (reader.atEnd || reader.u8() !== byte) {
      throw new ModuleFault(
        'not-a-module',
        at,
        'This is not a WebAssembly 1 core module (components are not admitted).',
      );
    }
  }
  while (!reader.atEnd) readSection(reader, module);
  if (module.bodies.length !== module.functionTypes.length - module.importedFunctions) {
    const at = module.sections.get(SECTION.code)?.start ?? module.sections.get(SECTION.function)?.start;
    throw new ModuleFault('malformed-code', at ?? null, 'The function and code sections disagree.');
  }
  return module;
}

function readSection(outer: ByteReader, module: WasmModule): void {
  const at = outer.offset;
  const id = outer.u8();
  const size = outer.u32();
  const start = outer.offset;
  outer.skip(size);
  const section = new ByteReader(module.bytes, start, start + size);
  if (id === SECTION.custom) {
    if (module.customSections.length === ADMISSION_LIMITS.customSections) {
      throw new ModuleFault(
        'too-large',
        at,
        `There are more than ${module.customSections.length} customSections.`,
      );
    }
    module.customSections.push(section.name());
    return;
  }
  const read = SECTION_READERS.get(id);
  if (read === undefined)
    throw new ModuleFault('unknown-section', at, `Section ${id} is not admitted${whySection(id)}.`);
  if (module.sections.has(id)) throw new ModuleFault('repeated-section', at, `Section ${id} stands twice.`);
  const last = [...module.sections.keys()].at(-1);
  if (last !== undefined && SECTION_ORDER.indexOf(id) < SECTION_ORDER.indexOf(last)) {
    throw new ModuleFault('malformed-section-order', at, `Section ${id} stands behind section ${last}.`);
  }
  module.sections.set(id, { start, end: start + size });
  read(section, module);
  if (!section.atEnd)
    throw new ModuleFault('malformed-section', section.offset, `Section ${id} goes on after its content.`);
}

/** Ids in the order in which their sections stand, which is not quite that of the numbers. */
const SECTION_ORDER: readonly number[] = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.global,
  SECTION.export,
  SECTION.start,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];
