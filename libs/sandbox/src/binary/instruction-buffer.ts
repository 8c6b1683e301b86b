import type { ByteReader } from './byte-reader.js';
import { ModuleFault } from './module-fault.js';
import { CODE_LIMIT, IMMEDIATES, type Immediates, PREFIX, opcode, perOpcode } from './opcodes.js';
import { whyOpcode, whyRelaxedSimd } from './refused-features.js';
import { valueTypeName } from './value-types.js';

const immediatesOf = perOpcode((instruction) => IMMEDIATES.indexOf(instruction.immediates));
const END = opcode('end');
const OPENS_FRAME = perOpcode(({ immediates }) => (immediates === 'block' ? 1 : 0));

/**
 * The instructions of one function body as parallel arrays, reused from body to body. `code[i]` is the opcode (see
 * `Instruction.code`), `start[i]` its byte offset (`start[count]` is the end of the body), `immediate[i]` the first
 * immediate: label depth (the deepest one of a `br_table`), index, type index of `call_indirect`, block type, constant
 * of `i32.const`, or offset of a memory access (modulo 2^32).
 */
export class InstructionBuffer {
  count = 0;
  code = new Uint16Array(1024);
  start = new Uint32Array(1024);
  immediate = new Int32Array(1024);

  /** Decodes from the reader's position (after the locals) to the end of the body. */
  decode(reader: ByteReader): void {
    let i = 0;
    let depth = 1;
    while (depth > 0) {
      if (i + 1 >= this.code.length) this.#grow();
      const start = reader.offset;
      const code = readOpcode(reader);
      this.code[i] = code;
      this.start[i] = start;
      this.immediate[i] = readImmediates(reader, code);
      if (code === END) depth--;
      else if (OPENS_FRAME[code] === 1) depth++;
      i++;
    }
    if (!reader.atEnd)
      throw new ModuleFault('malformed-body', reader.offset, 'A function goes on after its last end.');
    this.start[i] = reader.offset;
    this.count = i;
  }

  #grow(): void {
    const capacity = this.code.length * 2;
    const [code, start, immediate] = [this.code, this.start, this.immediate];
    this.code = new Uint16Array(capacity);
    this.start = new Uint32Array(capacity);
    this.immediate = new Int32Array(capacity);
    this.code.set(code);
    this.start.set(start);
    this.immediate.set(immediate);
  }
}

/** Reads one opcode with its prefix and refuses what the profile does not admit. */
export function readOpcode(reader: ByteReader): number {
  const start = reader.offset;
  const byte = reader.u8();
  let code = byte;
  if (byte === PREFIX.numeric || byte === PREFIX.vector) {
    const suffix = reader.u32();
    // Relaxed SIMD and whatever comes later lie beyond the table.
    code = suffix > 0xff ? CODE_LIMIT : (byte === PREFIX.numeric ? 0x100 : 0x200) + suffix;
  }
  if (code >= CODE_LIMIT || immediatesOf[code] === 0) refuse(byte, code, start);
  return code;
}

function refuse(byte: number, code: number, offset: number): never {
  const why = byte === PREFIX.vector && code === CODE_LIMIT ? whyRelaxedSimd() : whyOpcode(byte);
  throw new ModuleFault(
    'unknown-opcode',
    offset,
    `Opcode 0x${byte.toString(16).padStart(2, '0')} is not admitted${why}.`,
  );
}

/** Reads what follows an opcode and returns its first immediate; see {@link InstructionBuffer}. */
export function readImmediates(reader: ByteReader, code: number): number {
  const kind: Immediates = IMMEDIATES[immediatesOf[code]!]!; // Both indices come from the table.
  switch (kind) {
    case '-':
      return 0;
    case 'block':
      return reader.s33();
    case 'label':
    case 'index':
      return reader.u32();
    case 'labels':
      return readLabels(reader);
    case 'memory':
      return readMemoryArgument(reader);
    case 's32':
      return reader.s33();
    case 's64':
      reader.skipLeb(10);
      return 0;
    case '4bytes':
      reader.skip(4);
      return 0;
    case '8bytes':
      reader.skip(8);
      return 0;
    case '16bytes':
      reader.skip(16);
      return 0;
    case 'lane':
      return reader.u8();
    case 'memlane': {
      const offset = readMemoryArgument(reader);
      reader.u8();
      return offset;
    }
    case 'zero':
      readMemoryIndex(reader);
      return 0;
    case 'zerozero':
      readMemoryIndex(reader);
      readMemoryIndex(reader);
      return 0;
    case 'datazero': {
      const segment = reader.u32();
      readMemoryIndex(reader);
      return segment;
    }
    case 'indirect':
    case '2indices': {
      const first = reader.u32();
      reader.u32();
      return first;
    }
    case 'reftype':
      return readValueType(reader);
    case 'types':
      for (let left = reader.count(); left > 0; left--) readValueType(reader);
      return 0;
    case 'refused':
      throw new ModuleFault('unknown-opcode', reader.offset, 'An opcode is not admitted.');
  }
}

function readLabels(reader: ByteReader): number {
  let deepest = 0;
  for (let left = reader.count(); left >= 0; left--) deepest = Math.max(deepest, reader.u32());
  return deepest;
}

/** Returns the offset. A set bit 6 of the alignment announces a memory index. */
function readMemoryArgument(reader: ByteReader): number {
  const at = reader.offset;
  const alignment = reader.u32();
  if (alignment >= 32) throw new ModuleFault('multi-memory', at, 'A memory access names a second memory.');
  return reader.u32();
}

/** One zero byte in WebAssembly 2.0. A zero that is written longer is the same memory in 3.0, and malformed here. */
function readMemoryIndex(reader: ByteReader): void {
  const at = reader.offset;
  if (reader.u32() !== 0)
    throw new ModuleFault('multi-memory', at, 'A memory instruction names a second memory.');
  if (reader.offset - at > 1)
    throw new ModuleFault('malformed-index', at, 'The memory 0 is written with more than one byte.');
}

/** A value type of the profile, or a fault at its offset. */
export function readValueType(reader: ByteReader): number {
  const at = reader.offset;
  const type = reader.u8();
  if (valueTypeName(type) === undefined) {
    throw new ModuleFault(
      'unknown-type',
      at,
      `Value type 0x${type.toString(16).padStart(2, '0')} is not admitted.`,
    );
  }
  return type;
}
