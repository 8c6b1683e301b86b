import { ByteReader } from '../binary/byte-reader.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { MAGIC_AND_VERSION } from '../binary/module-format.js';
import { ModuleFault } from '../binary/module-fault.js';
import { EXTERNAL_KINDS, type Limits, SECTION } from '../binary/wasm-module.js';

/** Where a module that {@link memoryAsImport} changed looks for its memory: no app can import from here. */
export const MEMORY_IMPORT = { module: '__gleaner', name: 'memory' } as const;

interface Section {
  readonly id: number;
  /** From its id to its end. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/**
 * The same module with its own memory, in pages, imported instead of defined: which of the two it is, no instruction can
 * tell. Null where it does not define exactly one, and for what is no module: that is for the engine to refuse.
 */
export function memoryAsImport(
  bytes: Uint8Array,
): { readonly bytes: Uint8Array; readonly limits: Limits } | null {
  try {
    const sections = sectionsOf(bytes);
    const [memory, second] = sections.filter(({ id }) => id === SECTION.memory);
    if (memory === undefined || second !== undefined) return null;
    const reader = new ByteReader(bytes, memory.content, memory.end);
    if (reader.u32() !== 1) return null;
    const encoded = bytes.subarray(reader.offset, memory.end);
    const flags = reader.u8();
    const limits = { min: reader.u32(), max: flags === 1 ? reader.u32() : null };
    if (flags > 1 || !reader.atEnd) return null;
    return { bytes: rewritten(bytes, sections, { memory, limits: encoded }), limits };
  } catch (error) {
    if (error instanceof ModuleFault) return null;
    throw error;
  }
}

function sectionsOf(bytes: Uint8Array): Section[] {
  const reader = new ByteReader(bytes);
  reader.skip(MAGIC_AND_VERSION.length);
  const sections: Section[] = [];
  while (!reader.atEnd) {
    const start = reader.offset;
    const id = reader.u8();
    const size = reader.u32();
    const content = reader.offset;
    reader.skip(size);
    sections.push({ id, start, content, end: reader.offset });
  }
  return sections;
}

function rewritten(
  bytes: Uint8Array,
  sections: readonly Section[],
  { memory, limits }: { readonly memory: Section; readonly limits: Uint8Array },
): Uint8Array {
  const out = new ByteWriter(bytes.length + 64).copy(bytes, 0, MAGIC_AND_VERSION.length);
  let hasImports = false;
  for (const section of sections) {
    const { id, start, end } = section;
    if (!hasImports && id !== SECTION.custom && id !== SECTION.type) {
      const own = id === SECTION.import ? section : null;
      writeImports(out, bytes, { own, limits });
      hasImports = true;
      if (own !== null) continue;
    }
    if (section !== memory) out.copy(bytes, start, end);
  }
  return out.view();
}

/** The module's own imports, and the memory behind them. */
function writeImports(
  out: ByteWriter,
  bytes: Uint8Array,
  { own, limits }: { readonly own: Section | null; readonly limits: Uint8Array },
): void {
  const reader = own === null ? null : new ByteReader(bytes, own.content, own.end);
  const section = new ByteWriter(own === null ? 64 : own.end - own.start + 64);
  section.u32((reader?.u32() ?? 0) + 1);
  if (reader !== null) section.copy(bytes, reader.offset, reader.end);
  section
    .name(MEMORY_IMPORT.module)
    .name(MEMORY_IMPORT.name)
    .u8(EXTERNAL_KINDS.indexOf('memory'))
    .raw(limits);
  out.u8(SECTION.import).sized(section);
}
